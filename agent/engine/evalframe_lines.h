/* SPDX-License-Identifier: MIT */
/*
 * evalframe_lines: the lines of armed code, by a trace function that a thread
 * has only while it runs such code itself: from the start of a call (or the
 * resumption of a generator) to its end, but not while what it calls runs. A
 * thread is "on" when it is to have it; what a frame in the shim returns to is
 * kept with its visit (evalframe_returns), and lines_settle makes both right
 * for the frames that run already when code is armed or disarmed.
 *
 * A tracer of the program goes on: its object stays where sys.gettrace() finds
 * it, and its function is jumped to after ours (called, it would give up the
 * GIL with us on the stack: facts/engines.md). Should the program set another
 * one in the middle of a watched call, lines are seen again when the next call
 * from there returns.
 *
 * GIL held.
 */
#ifndef NOPDB_AGENT_ENGINE_EVALFRAME_LINES_H
#define NOPDB_AGENT_ENGINE_EVALFRAME_LINES_H

#include <stdbool.h>

#include "agent/code.h"
#include "agent/engine/tstate.h"

/* How many threads are on. */
extern int lines_count;

/* The trace function. */
py_tracefunc lines_trace;

bool lines_on(const void *thread);

/* Gives a thread the trace function, or its own back. */
void lines_set(void *thread, bool on);

/* Is this an entry whose lines are to be seen? */
static inline bool lines_wanted(const struct code *code)
{
	return code && code->armed && code->wants & CODE_WANTS_LINES;
}

/* Makes every thread right for what is armed now. */
void lines_settle(void);

/* frame_ops.jump: only within hit_line(), and not while the program traces. */
int lines_jump(void *frame, int line);

void lines_start(void);
/* Takes the trace function from every thread, and no thread gets it again. */
void lines_stop(void);
/* The same for what came in between; forgets the threads. */
void lines_finish(void);

#endif
