/* SPDX-License-Identifier: MIT */
/*
 * hit: the program came to a place where breakpoints stop: their conditions,
 * limits and actions, and the `hit` record.
 *
 * Conditions and actions are code of the program. It runs on the program's
 * thread, gives up the GIL, takes as long as its budget lets it (budget.h) and
 * may raise what it likes: nothing of it reaches the program, and the error
 * indicator is what it was. (What handlers of signals raise meanwhile does
 * reach it: signalled.h.) While it runs, hit_busy() is true on its thread, so
 * that what it calls is not probed in turn. Whatever an engine knows before the
 * call is to be looked up again after it; frame and code stay valid.
 *
 * Engines call these between callback_enter() and callback_leave().
 */
#ifndef NOPDB_AGENT_HIT_H
#define NOPDB_AGENT_HIT_H

#include <stdbool.h>

#include "agent/code.h"

/* A line in code->stops is about to run. frames->jump() works inside of it:
 * afterwards the frame may stand elsewhere. */
void hit_line(struct code *code, void *frame, int line);

/* A call starts: its arguments are bound, nothing of its body ran. */
void hit_call(struct code *code, void *frame);

/* What hits of a probe left for the next; after the callbacks. */
void hit_release_plans(struct probe *probe);

/* Does this thread run code of ours right now? */
bool hit_busy(void);

#endif
