/* SPDX-License-Identifier: MIT */
/*
 * evalframe_guard: is there room on the C stacks? CPython 3.11 runs a call
 * from Python to Python without using the C stack, but not while a frame
 * evaluation hook is set: then each takes 420-480 bytes, and a recursion that
 * was fine before can end in a segmentation fault. So we refuse when a thread
 * could not go as deep as the recursion limit lets it. 3.7-3.10 use the C
 * stack anyway.
 *
 * Covered: the main thread (RLIMIT_STACK), threads with a thread state now,
 * threads that `threading` will start. Not covered: a recursion limit that is
 * raised, and threads that a library starts with a small stack, after attach.
 */
#ifndef NOPDB_AGENT_ENGINE_EVALFRAME_GUARD_H
#define NOPDB_AGENT_ENGINE_EVALFRAME_GUARD_H

#include "agent/python.h"

/* GIL held. Fails with ENGINE, naming the stack and the remedy. */
int evalframe_guard(struct frame_error *err);

#endif
