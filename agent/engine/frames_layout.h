/* SPDX-License-Identifier: MIT */
/*
 * frames_layout: frame_ops (agent/frames.h) over frames read by layout, 3.7 to
 * 3.11, and the questions that only the evalframe engine asks. One struct for
 * each of the two kinds of frame; what they share is in frames_layout.c.
 */
#ifndef NOPDB_AGENT_ENGINE_FRAMES_LAYOUT_H
#define NOPDB_AGENT_ENGINE_FRAMES_LAYOUT_H

#include <stdbool.h>

#include "agent/engine/layout.h"
#include "agent/frames.h"

/* No stack is deeper; ends a walk should a chain be damaged. */
enum { FRAMES_DEEPEST = 1 << 20 };

struct frames_layout {
	struct frame_ops ops;

	/* Does it start now? Else a generator's frame is resumed. */
	bool (*fresh)(void *frame);

	/* After the evaluator returned a value: was it a yield? */
	bool (*yielded)(void *frame);

	/* Is it being set up, so that CPython does not show it? */
	bool (*hidden)(void *frame);

	/* Is its evaluation (part of) a call of code with these co_flags? */
	bool (*is_call)(void *frame, int flags);

	/* The PyFrameObject of a frame, borrowed; NULL: none was made (3.11).
	 * Back: ops.of_object. */
	struct object *(*object)(void *frame);
};

extern const struct frames_layout frames_layout_legacy; /* 3.7-3.10 */
extern const struct frames_layout frames_layout_311;

/* Shared by both. */
struct object *frames_layout_globals(void *frame);
int frames_layout_line(void *frame);
void frames_layout_slots(struct code *code);
void frames_layout_visit_threads(frame_visit *visit, void *arg);

struct object *frames_layout_namespace(void *frame);

/* A new reference to the content of a cell, NULL when it is empty. */
struct object *frames_layout_cell(struct object *cell);

/* Replaces what a slot holds, or what the cell there holds;
 * frame_ops.set_local. slot NULL: there is none. */
int frames_layout_rebind(struct object **slot, bool is_cell,
			 struct object *value);

/* Visits one frame, unless it is hidden; what visit answered. */
int frames_layout_show(void *frame, frame_visit *visit, void *arg);

/* Visits a frame and its callers, at most max; what ended it. */
int frames_layout_chain(void *frame, int max, frame_visit *visit, void *arg);

/* The code object of a frame, borrowed. */
static inline struct object *frames_layout_code(void *frame)
{
	return *(struct object **)((char *)frame + LAYOUT_FRAME_CODE);
}

#endif
