/* SPDX-License-Identifier: MIT */
#include "injector/stack/frames.h"

#include <string.h>

#include "injector/stack/callee.h"

#define MODULE_NAME_MAX 256u
#define NAME_AMONG_FIRST 256 /* entries of a module's globals */
#define NO_FRAME SIZE_MAX

const char *frames_module_name(struct frames *frames, uint64_t globals)
{
	const struct python *python = frames->codes->python;
	struct frames_module *module =
		&frames->module[globals / 16 % FRAMES_MODULES];

	if (!globals)
		return NULL;
	if (module->globals != globals) {
		module->globals = globals;
		module->name =
			object_text(python, frames->arena,
				    dict_get_within(python, globals, "__name__",
						    NAME_AMONG_FIRST),
				    MODULE_NAME_MAX);
	}
	return module->name;
}

static void show_python(struct frames *frames, const struct frames_input *input,
			size_t index, struct stack_frame *frame)
{
	const struct python_frame *from = &input->python->list[index];
	struct code_place place = code_place_at(frames->codes->python,
						from->code, from->instruction);

	frame->kind = STACK_FRAME_PYTHON;
	frame->function = from->code->name;
	frame->module = frames_module_name(frames, from->globals);
	frame->file = from->code->file;
	frame->line = place.line;
	frame->end_line = place.end_line;
	frame->column = place.column;
	frame->end_column = place.end_column;
	frame->address = from->address;
	/* Of a module or class body the variables are those of a dict. */
	if (input->locals && from->code->flags & CODE_OPTIMIZED) {
		frame->locals = input->locals[index];
		frame->local_count = input->local_count[index];
	}
}

static const char *keep(struct frames *frames, const char *text)
{
	return text ? arena_copy(frames->arena, text, strlen(text)) : NULL;
}

/* The name that Python's code has for a function without a symbol. */
static void name_by_callee(struct frames *frames,
			   const struct python_frame *caller, bool called,
			   struct stack_frame *frame)
{
	uint64_t start = unwind_function(frames->unwind,
					 frame->address - (called ? 1 : 0));

	frame->function = callee_name(frames->codes->python, frames->arena,
				      caller, start);
	if (!frame->function)
		return;
	frame->callee = true;
	frame->offset = frame->address - start;
}

/* caller: the Python frame whose loop called it, or one further in; NULL:
 * none did. */
static void show_native(struct frames *frames, const struct frames_input *input,
			size_t index, const struct python_frame *caller,
			struct stack_frame *frame)
{
	uint64_t pc = input->native[index].pc;
	struct native_name name = names_at(frames->names, pc, index > 0);
	const char *base;

	frame->kind = STACK_FRAME_NATIVE;
	frame->address = pc;
	frame->offset = name.offset;
	frame->function = keep(frames, name.function);
	if (!name.module)
		return;
	base = strrchr(name.module->path, '/');
	frame->file = keep(frames, name.module->path);
	frame->module = keep(frames, base ? base + 1 : name.module->path);
	if (!frame->function && caller)
		name_by_callee(frames, caller, index > 0, frame);
}

/* ---- which native frame runs which Python frames
 * -------------------------------- */

/* The native frame, from one on, in whose stack an address lies. */
static size_t frame_around(const struct frames_input *input, size_t from,
			   uint64_t anchor)
{
	for (size_t i = from; i + 1 < input->native_count; i++)
		if (input->native[i].sp <= anchor &&
		    anchor < input->native[i + 1].sp)
			return i;
	return NO_FRAME;
}

static size_t frame_named(struct frames *frames,
			  const struct frames_input *input, size_t from)
{
	static const char loop[] = "_PyEval_EvalFrameDefault";

	for (size_t i = from; i < input->native_count; i++) {
		struct native_name name =
			names_at(frames->names, input->native[i].pc, i > 0);

		/* The compiler may have split it: .cold, .part.0 */
		if (name.function &&
		    !strncmp(name.function, loop, sizeof(loop) - 1))
			return i;
	}
	return NO_FRAME;
}

/* Finds for each native frame the number of Python frames that it runs, in
 * runs (one for each native frame). False: not every one has its place. */
static bool find_places(struct frames *frames, const struct frames_input *input,
			size_t *runs)
{
	bool anchored = python_minor(frames->codes->python) >= 11;
	const struct python_frames *python = input->python;
	size_t from = 0, group = 0;

	for (size_t i = 0; i < python->count; i++) {
		size_t at;

		group++;
		if (!python->list[i].entry)
			continue;
		at = anchored
			     ? frame_around(input, from, python->list[i].anchor)
			     : frame_named(frames, input, from);
		if (at == NO_FRAME)
			return false;
		runs[at] = group;
		from = at + 1;
		group = 0;
	}
	/* An eval loop without its frame would mean that we went astray. */
	return group == 0 &&
	       (anchored || frame_named(frames, input, from) == NO_FRAME);
}

/* Up to 3.10 the eval loop links its frame after it began, and unlinks it
 * before it ends (3.7 to 3.9 check the result in between): a thread that was
 * stopped there has one loop, its innermost, more than it has frames. False: it
 * has not. */
static bool find_places_past_innermost(struct frames *frames,
				       const struct frames_input *input,
				       size_t *runs)
{
	struct frames_input rest = *input;
	size_t innermost, skipped;

	if (python_minor(frames->codes->python) >= 11)
		return false;
	innermost = frame_named(frames, input, 0);
	if (innermost == NO_FRAME)
		return false;
	skipped = innermost + 1;
	memset(runs, 0, input->native_count * sizeof(*runs));
	rest.native += skipped;
	rest.native_count -= skipped;
	return find_places(frames, &rest, runs + skipped);
}

static bool show_merged(struct frames *frames, const struct frames_input *input,
			const size_t *runs, struct stack_thread *thread)
{
	size_t count = input->python->count + input->native_count;
	struct stack_frame *list =
		arena_array(frames->arena, count, sizeof(*list));
	size_t used = 0, python = 0;

	if (!list)
		return false;
	for (size_t i = 0; i < input->native_count; i++) {
		if (!runs[i])
			show_native(frames, input, i,
				    python < input->python->count
					    ? &input->python->list[python]
					    : NULL,
				    &list[used++]);
		for (size_t k = 0; k < runs[i]; k++)
			show_python(frames, input, python++, &list[used++]);
	}
	thread->frames = list;
	thread->frame_count = used;
	thread->merged = true;
	return true;
}

static bool show_plain(struct frames *frames, const struct frames_input *input,
		       struct stack_thread *thread)
{
	size_t count = input->python->count;
	struct stack_frame *list =
		arena_array(frames->arena, count, sizeof(*list));

	if (!list)
		return false;
	for (size_t i = 0; i < count; i++)
		show_python(frames, input, i, &list[i]);
	thread->frames = list;
	thread->frame_count = count;
	return true;
}

bool frames_show(struct frames *frames, const struct frames_input *input,
		 struct stack_thread *thread)
{
	size_t *runs;

	if (!frames->names || !input->native_count)
		return show_plain(frames, input, thread);
	runs = arena_array(frames->arena, input->native_count, sizeof(*runs));
	if (!runs)
		return false;
	if (!find_places(frames, input, runs) &&
	    !find_places_past_innermost(frames, input, runs))
		return show_plain(frames, input, thread);
	return show_merged(frames, input, runs, thread);
}
