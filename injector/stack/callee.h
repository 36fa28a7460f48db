/* SPDX-License-Identifier: MIT */
/*
 * callee: what Python calls a C function that has no symbol: the value stack
 * of the frame that called it holds the callable, and that the address where
 * the function begins. Only an equal address gives a name: what lies on the
 * stack may be stale, and then it leads nowhere.
 */
#ifndef NOPDB_INJECTOR_STACK_CALLEE_H
#define NOPDB_INJECTOR_STACK_CALLEE_H

#include "injector/stack/walk.h"

/* "time.sleep", "socket.recv", for the function that begins at start, called
 * by a frame: of the arena; NULL: not on its stack. */
const char *callee_name(const struct python *python, struct arena *arena,
			const struct python_frame *caller, uint64_t start);

#endif
