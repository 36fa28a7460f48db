/* SPDX-License-Identifier: MIT */
/*
 * engine: how calls of armed code objects are noticed. One const ops struct
 * per mechanism, chosen once by version:
 *
 *   engine_monitoring  3.12+      sys.monitoring, C callbacks
 *   engine_evalframe   3.7-3.11   PEP 523 frame evaluation hook
 *
 * The meaning of a probe does not depend on the engine. An engine calls
 * match_code() once per code object it has not seen, and for those that are
 * armed what code->wants says:
 *
 *   CODE_WANTS_CALLS  call_begin() .. call_return()
 *   CODE_WANTS_START  hit_call(), after call_begin(), when a call starts (a
 *		       generator's first resumption)
 *   CODE_WANTS_LINES  hit_line(), before the first instruction of a line in
 *		       code->stops runs, each time that it is come to
 *
 * hit_call() and hit_line() run code of the program and give up the GIL: the
 * code's entry stays (armed_inside is held), but its stops and wants may change
 * meanwhile. What starts on a thread while hit_busy() is of our making: an
 * engine reports nothing of it and passes it on.
 *
 * An engine never lets an exception of its own reach the program, and its
 * callbacks do nothing where armed_flag is 0.
 *
 * All functions run on the control thread with the GIL held, probes' callbacks
 * on the program's threads.
 */
#ifndef NOPDB_AGENT_ENGINE_H
#define NOPDB_AGENT_ENGINE_H

#include <stdbool.h>

#include "agent/code.h"
#include "agent/frames.h"

struct engine {
	const char *name; /* "monitoring", "evalframe" */
	int first, last;  /* minor versions of Python 3 */

	/* Takes its place in the interpreter (tool id, hook); nothing is seen
	 * yet. Sets `frames`. Fails with ENGINE and the remedy, leaving
	 * nothing behind. */
	int (*start)(struct frame_error *err);

	/* A code object got its first enabled probe, or lost its last. arm also
	 * takes care of calls of it that already run, on any thread. It is
	 * called again for a code object that is armed when its wants or stops
	 * changed (code->changed, which the caller clears). */
	void (*arm)(struct code *code);
	void (*disarm)(struct code *code);

	/* A probe was added: code that was turned away is to be asked about
	 * again at its next start (after discover armed what it found). */
	void (*rematch)(void);

	/* Program code called sys.settrace() on our behalf: puts back what that
	 * took away. NULL: nothing. */
	void (*settle)(void);
	/* Takes its place in an interpreter that was made after start as well;
	 * false: it cannot. NULL: the engine knows the main one alone. */
	bool (*reach)(void *interpreter);

	/* Removes everything of ours from the interpreter: afterwards no new
	 * callback starts. Callbacks may still be in progress. */
	void (*stop)(void);

	/* After stop, with armed_inside == 0: is anything left that could still
	 * enter the agent's code? False: the library must stay mapped. Drops
	 * the last references. */
	bool (*finish)(void);
};

extern const struct engine engine_monitoring;
extern const struct engine engine_evalframe;

/* The engine in use, NULL before start. */
extern const struct engine *engine;

/* Chooses and starts one. */
int engine_start(struct frame_error *err);

#endif
