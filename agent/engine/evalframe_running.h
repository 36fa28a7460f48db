/* SPDX-License-Identifier: MIT */
/*
 * evalframe_running: frames that ran already when their code was armed: a main
 * loop, a function in the middle of a call. The hook does not see them, so
 * their thread gets a profile function, which sees them return. It is taken
 * away around every call that starts meanwhile (running_pause), so that only
 * the watched frames and what was above them on the stack pay for it, and
 * when the last watched frame of the thread is gone.
 *
 * A profile function, not a trace function: CPython counts threads that
 * trace (<= 3.9), and a trace function is called for each line. Profilers of
 * the program go on: their function is jumped to, never called (called, it
 * would give up the GIL with us on the stack: facts/engines.md). A frame that
 * ends while the program exchanges its profile function is not reported; the
 * exception that ends one is not known (CPython does not pass it on).
 *
 * GIL held.
 */
#ifndef NOPDB_AGENT_ENGINE_EVALFRAME_RUNNING_H
#define NOPDB_AGENT_ENGINE_EVALFRAME_RUNNING_H

#include <stdbool.h>

#include "agent/engine/tstate.h"

/* How many frames are watched, all threads. */
extern int running_count;

/* The profile function; public because the hook compares with it. */
py_tracefunc running_profile;

/* Does this thread have it now? */
static inline bool running_on(void *thread)
{
	return tstate_profile(thread) == running_profile;
}

/* Watches every frame of this code object that runs on any thread, but those
 * that skip() is true for. */
void running_code(struct object *code, bool (*skip)(const void *frame));

/* Ends the watch of all frames of a code object, of one frame, of all. */
void running_drop_code(const struct object *code);
void running_drop_frame(const void *frame);
void running_drop_all(void);

/* Gives the thread its own profile function back for the time of a call, and
 * ours again after it. */
void running_pause(void *thread);
void running_resume(void *thread);

#endif
