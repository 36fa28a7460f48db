/* SPDX-License-Identifier: MIT */
/*
 * frames: how a frame is read, whatever the version. An engine hands out
 * frames as opaque pointers (a PyFrameObject, or an interpreter frame on
 * 3.11), which are valid while its callback runs; `frames` points at the ops
 * that understand them. Reading never runs user code, never leaves an error
 * indicator and never writes the frame's own f_locals. What changes a frame is
 * for the actions of a breakpoint only (agent/hit.h), on the thread that runs
 * the frame.
 */
#ifndef NOPDB_AGENT_FRAMES_H
#define NOPDB_AGENT_FRAMES_H

#include "agent/python.h"

struct code;

/* One step of a walk: borrowed references, valid during the call. frame is
 * the opaque pointer. Non-zero stops the walk. */
typedef int frame_visit(struct object *code, int lasti, void *frame, void *arg);

struct frame_ops {
	/* New reference to the globals dict, NULL when it cannot be had. */
	struct object *(*globals)(void *frame);

	/* The value of code->variables[index]: a new reference, cells
	 * dereferenced; NULL when unbound. */
	struct object *(*local)(void *frame, const struct code *code,
				int index);

	/* Rebinds code->variables[index], cells included; NULL unbinds it. 0,
	 * or -1 with the error indicator set. May run a destructor of the old
	 * value, and with it give up the GIL. */
	int (*set_local)(void *frame, const struct code *code, int index,
			 struct object *value);

	/* The mapping in which code without CODE_OPTIMIZED has its variables (a
	 * module's globals, a class's namespace): a new reference, NULL when it
	 * cannot be had. */
	struct object *(*name_space)(void *frame);

	/* The next instruction is the first of this line: only from within
	 * hit_line(). 0, or -1 with the error indicator set (ValueError with
	 * CPython's reason). */
	int (*jump)(void *frame, int line);

	/* The current line, 0 when unknown. */
	int (*line)(void *frame);

	/* Byte offset of the current instruction: with the code object the key
	 * for caches. */
	int (*lasti)(void *frame);

	/* The opaque pointer of a PyFrameObject. */
	void *(*of_object)(struct object *object);

	/* The opaque pointer of a generator or coroutine that waits for another
	 * (gi_yieldfrom, cr_await), whose code this is, without making an
	 * object of it; NULL: it has no such frame. NULL itself: only by
	 * of_object. */
	void *(*of_waiting)(struct object *generator,
			    const struct object *code);

	/* Visits this frame and its callers, innermost first, at most max. */
	void (*walk)(void *frame, int max, frame_visit *visit, void *arg);

	/* Fills in the slots of a code's variables (code.h), once per code. */
	void (*slots)(struct code *code);

	/* Visits the frames of every thread but the caller's, innermost first
	 * per thread, GIL held throughout: for what already runs. Non-zero
	 * ends the visit, not only the thread's. visit makes no Python call
	 * that could give up the GIL. */
	void (*visit_threads)(frame_visit *visit, void *arg);

	/* The PyFrameObject, borrowed; NULL: none was made (3.11, where a call
	 * starts). */
	struct object *(*object)(void *frame);
};

/* Set by the engine that was chosen; constant while probes are set. */
extern const struct frame_ops *frames;

#endif
