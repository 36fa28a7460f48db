/* SPDX-License-Identifier: MIT */
/*
 * walk: the Python frames of one thread, followed from its thread state
 * through memory that may change under way. Of a thread that does not run one
 * walk is the truth. Of one that runs, walk_stable asks for several walks in a
 * row that agree, at irregular times: of threads that called and returned all
 * the time one walk in twelve showed a stack that never was, two that agree
 * still one in a thousand on a busy machine.
 */
#ifndef NOPDB_INJECTOR_STACK_WALK_H
#define NOPDB_INJECTOR_STACK_WALK_H

#include "injector/stack/code.h"

struct python_frame {
	uint64_t address; /* PyFrameObject or _PyInterpreterFrame */
	const struct code *code;
	int instruction; /* offset in bytes; negative: not yet begun */
	uint8_t owner;	 /* FRAME_OWNED_BY_*, 3.11+ */
	bool entry;	 /* called from C: an eval loop begins here */
	uint64_t anchor; /* lies in the C frame of that loop; 0: unknown */
	uint64_t globals;
	uint64_t slots; /* address of locals, cells, free, value stack */
};

struct python_frames {
	struct python_frame *list; /* innermost first */
	size_t count;
	bool truncated;
};

/* What walks work with; one walk at a time. */
struct walker {
	struct codes *codes;
	struct python_frame *buffer[2];
	size_t room;
};

int walker_init(struct walker *walker, struct codes *codes, size_t frames_max,
		struct error *err) NOPDB_CHECKED;
void walker_release(struct walker *walker);

/* Fetches what walks of several threads will read, level by level. */
void walk_prepare(const struct python *python, const uint64_t *thread_states,
		  size_t count);
#define WALK_PREPARE_MAX 128u /* threads at a time */

/* One frame, wherever it is linked from: of a coroutine, say. Its entry and
 * anchor stay unset. False: it is none. */
bool walk_frame(struct codes *codes, uint64_t address,
		struct python_frame *ret_frame);

/* One walk. False: it led astray. The frames are the walker's, until its
 * next walk. */
bool walk_once(struct walker *walker, uint64_t thread_state,
	       struct python_frames *ret_frames);

/* Walks until several in a row agree, a bounded number of times. False: they
 * never did; *ret_frames then is the last that came to an end. Memory is read
 * anew. */
bool walk_stable(struct walker *walker, uint64_t thread_state,
		 struct python_frames *ret_frames);

#endif
