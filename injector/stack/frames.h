/* SPDX-License-Identifier: MIT */
/*
 * frames: what was read of a thread, made into the frames that are shown:
 * Python's with module, file and place, the C library's and the interpreter's
 * with their names, the ones among the others where they ran.
 *
 * Python's frames are put in the place of the C frame of the eval loop that
 * runs them, and that one is found by what lies in it: from 3.11 on a local
 * variable of it is linked from Python's frames. No symbol is needed; before,
 * there is one loop for each frame, found by its name.
 */
#ifndef NOPDB_INJECTOR_STACK_FRAMES_H
#define NOPDB_INJECTOR_STACK_FRAMES_H

#include "injector/stack/names.h"
#include "injector/stack/stack.h"
#include "injector/stack/walk.h"
#include "injector/target/unwind.h"

#define FRAMES_MODULES 256u

struct frames_module {
	uint64_t globals;
	const char *name;
};

struct frames {
	struct codes *codes;
	struct names *names;   /* NULL: no native frames */
	struct unwind *unwind; /* as well */
	struct arena *arena;
	struct frames_module module[FRAMES_MODULES];
};

/* What a thread's frames are made of. */
struct frames_input {
	const struct python_frames *python;
	const struct unwind_frame *native;
	size_t native_count;
	const struct stack_local *const *locals; /* of each Python frame */
	const size_t *local_count;		 /* NULL: none */
};

/* Fills frames, frame_count and merged of a thread. False: no memory. */
bool frames_show(struct frames *frames, const struct frames_input *input,
		 struct stack_thread *thread);

/* The module (`__name__`) that a frame's globals are of; NULL: unknown. */
const char *frames_module_name(struct frames *frames, uint64_t globals);

#endif
