/* SPDX-License-Identifier: MIT */
/*
 * coroutine: what a suspended coroutine awaits, and what that awaits, as far
 * as it goes: their frames, and the object at the end, a future most times. A
 * suspended frame keeps what it awaits on top of its value stack.
 */
#ifndef NOPDB_INJECTOR_STACK_COROUTINE_H
#define NOPDB_INJECTOR_STACK_COROUTINE_H

#include "injector/stack/walk.h"

#define AWAITS_MAX 1000u /* frames of one chain; more are not followed */

struct await_chain {
	struct python_frames frames; /* innermost first, of the arena */
	uint64_t last;		     /* what the innermost awaits; 0: nothing */
	bool running;		     /* it is not suspended */
	bool created;		     /* it has not begun */
};

/* False: no coroutine, or memory that makes no sense. */
bool coroutine_chain(struct codes *codes, struct arena *arena,
		     uint64_t coroutine, struct await_chain *ret_chain);

/* The value of a frame's local variable; 0: there is none. */
uint64_t frame_local(struct codes *codes, const struct python_frame *frame,
		     const char *name);

/* The first argument of a method's frame; 0: there is none. */
uint64_t frame_self(const struct python *python,
		    const struct python_frame *frame);

#endif
