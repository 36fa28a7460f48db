/* SPDX-License-Identifier: MIT */
/*
 * stack: the callers of a frame as JSON, [{"function","file","line",
 * "column"}..] innermost last; columns count from 1, 3.11+. One rendered entry
 * per (code object, instruction) is cached: line numbers and names cost more
 * than everything else in a capture. The cache holds its code objects, so that
 * an address is not reused.
 *
 * GIL held.
 */
#ifndef NOPDB_AGENT_STACK_H
#define NOPDB_AGENT_STACK_H

#include "agent/python.h"
#include "proto/json_write.h"

enum { STACK_FRAMES = 512 }; /* more are never written */

/* The frame itself and its callers, max together. When there is no room for
 * all, the outermost are left out. */
void stack_write(struct json_writer *w, void *frame, int max);

/* One frame as it is written, its closing brace last: valid until the cache is
 * trimmed. */
struct stack_frame {
	const char *text;
	size_t length;
};

/* The coroutines that wait for this one on the same stack, innermost first;
 * how many, at most max. */
int stack_awaiting(void *frame, int max, struct stack_frame *ret_frames);

/* A frame that may be on no stack; false: no memory. */
bool stack_frame(struct object *code, int lasti, void *frame,
		 struct stack_frame *ret_frame);

/* A place that is in no frame any more, of a traceback: byte offset in the code
 * and the globals of the frame. False: no memory. */
bool stack_place(struct object *code, int lasti, struct object *globals,
		 struct stack_frame *ret_frame);

/* Empties the cache when it has grown beyond its bound. May free code objects
 * and with that run code of the program (weak references) and give up the
 * GIL: the last thing that a callback does. */
void stack_trim(void);

int stack_init(void);	  /* -1: no memory */
void stack_release(void); /* drops the references */

#endif
