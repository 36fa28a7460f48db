/* SPDX-License-Identifier: MIT */
/*
 * awaiters: who waits for a coroutine, as the member
 *
 *   "awaiters":[{"function","file","line","column","task"}..]
 *
 * the outermost first, the one that awaits it directly last. Those of its own
 * task are on its stack. Who waits for the task itself is found through
 * its callbacks (<= 3.13: a task that awaits it, also by gather, wait,
 * wait_for, shield or a TaskGroup) or as asyncio keeps it (3.14+); of several
 * the first. What is not asyncio's own way of waiting is not known.
 *
 * GIL held. Runs no code of the program, but makes objects that the collector
 * tracks, and so may run a collection on <= 3.11.
 */
#ifndef NOPDB_AGENT_AWAITERS_H
#define NOPDB_AGENT_AWAITERS_H

#include "agent/python.h"
#include "proto/json_write.h"

/* Writes the member for the coroutine in this frame, or nothing when none runs
 * in a task or nobody waits. What does not fit is left out, the outermost
 * first. */
void awaiters_write(struct json_writer *w, void *frame);

#endif
