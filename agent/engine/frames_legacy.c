/* SPDX-License-Identifier: MIT */
#include "agent/engine/frames_layout.h"

#include "agent/code.h"
#include "agent/engine/evalframe_lines.h"
#include "agent/engine/tstate.h"

/* PyFrameObject of 3.7-3.10. f_locals is never touched: asking for it writes
 * the program's own dict. */

enum { STATE_SUSPENDED = -1 }; /* 3.10: enum _framestate */

static int lasti(void *frame)
{
	int index = PY_FIELD(int, frame, layout->frame_lasti);

	/* 3.10 counts instructions, before that bytes; -1: none ran. */
	return index > 0 && layout->minor == 10 ? index * 2 : index;
}

static bool fresh(void *frame)
{
	return PY_FIELD(int, frame, layout->frame_lasti) == -1;
}

static bool yielded(void *frame)
{
	if (layout->frame_state)
		return PY_FIELD(signed char, frame, layout->frame_state) ==
		       STATE_SUSPENDED;
	return PY_FIELD(void *, frame, layout->frame_stacktop) != NULL;
}

static bool hidden(void *frame)
{
	return false;
}

static bool is_call(void *frame, int flags)
{
	return true;
}

static void *of_object(struct object *object)
{
	return object;
}

static struct object *local(void *frame, const struct code *code, int index)
{
	const struct variable *variable = &code->variables[index];
	struct object **slots =
		&PY_FIELD(struct object *, frame, layout->frame_locals);
	struct object *value;

	/* An argument that is a cell was moved there before the first
	 * instruction (_PyEval_MakeFrameVector). */
	if (variable->cell_slot >= 0 && slots[variable->cell_slot])
		return frames_layout_cell(slots[variable->cell_slot]);
	if (variable->slot < 0)
		return NULL;
	value = slots[variable->slot];
	if (value && variable->kind != VARIABLE_LOCAL)
		return frames_layout_cell(value);
	return value ? py_ref(value) : NULL;
}

static int set_local(void *frame, const struct code *code, int index,
		     struct object *value)
{
	const struct variable *variable = &code->variables[index];
	struct object **slots =
		&PY_FIELD(struct object *, frame, layout->frame_locals);
	bool in_cell = variable->cell_slot >= 0 && slots[variable->cell_slot];
	int slot = in_cell ? variable->cell_slot : variable->slot;

	return frames_layout_rebind(slot < 0 ? NULL : &slots[slot],
				    in_cell || variable->kind != VARIABLE_LOCAL,
				    value);
}

static struct object *object(void *frame)
{
	return frame;
}

static void walk(void *frame, int max, frame_visit *visit, void *arg)
{
	frames_layout_chain(frame, max, visit, arg);
}

const struct frames_layout frames_layout_legacy = {
	.ops = {
		.globals = frames_layout_globals,
		.local = local,
		.set_local = set_local,
		.name_space = frames_layout_namespace,
		.jump = lines_jump,
		.line = frames_layout_line,
		.lasti = lasti,
		.of_object = of_object,
		.walk = walk,
		.slots = frames_layout_slots,
		.visit_threads = frames_layout_visit_threads,
		.object = object,
	},
	.fresh = fresh,
	.yielded = yielded,
	.hidden = hidden,
	.is_call = is_call,
	.object = object,
};
