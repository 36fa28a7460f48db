/* SPDX-License-Identifier: MIT */
#include "agent/engine/frames_layout.h"

#include "agent/code.h"
#include "agent/engine/evalframe_lines.h"
#include "agent/engine/tstate.h"

/* _PyInterpreterFrame of 3.11. Since no PyFrameObject is made, nothing of the
 * program's sees that its frame was read. */

enum {
	OWNED_BY_GENERATOR = 1, /* enum _frameowner */
	STATE_SUSPENDED = -1,	/* PyFrameState */
	RETURN_GENERATOR = 75,	/* opcode; never specialized */
};

static char *instruction(void *frame)
{
	return PY_FIELD(char *, frame, layout->frame_instruction);
}

static bool generator_owns(void *frame)
{
	return PY_FIELD(char, frame, layout->frame_owner) == OWNED_BY_GENERATOR;
}

static int lasti(void *frame)
{
	char *code = PY_FIELD(char *, frame, layout->frame_code);

	return (int)(instruction(frame) - (code + layout->code_instructions));
}

/* _PyFrame_IsIncomplete: cells are not made yet, free variables not there. */
static bool incomplete(void *frame)
{
	void *code = PY_FIELD(void *, frame, layout->frame_code);
	int first = PY_FIELD(int, code, layout->code_traceable);

	return !generator_owns(frame) && lasti(frame) < first * 2;
}

static bool fresh(void *frame)
{
	if (generator_owns(frame))
		return (unsigned char)*instruction(frame) == RETURN_GENERATOR;
	return lasti(frame) < 0;
}

static bool yielded(void *frame)
{
	return generator_owns(frame) &&
	       PY_FIELD(signed char, frame, layout->frame_generator_state) ==
		       STATE_SUSPENDED;
}

/* The call of a generator function runs its frame up to RETURN_GENERATOR,
 * which moves it into the generator: not a call yet. */
static bool is_call(void *frame, int flags)
{
	return !(flags & CODE_SUSPENDS) || generator_owns(frame);
}

static void *of_object(struct object *object)
{
	return PY_FIELD(void *, object, layout->object_frame);
}

static struct object *object(void *frame)
{
	return PY_FIELD(struct object *, frame, layout->frame_object);
}

/* The cell of a free variable before the frame has it: its function's. */
static struct object *closure_cell(void *frame, const struct code *code,
				   int index)
{
	/* f_func comes first. */
	struct object *function = *(struct object **)frame;
	struct object *closure = NULL;
	pyssize before = 0;

	for (int i = 0; i < index; i++)
		before += code->variables[i].kind == VARIABLE_FREE;
	if (function && py_is(function, py.PyFunction_Type))
		closure = py.PyFunction_GetClosure(function);
	if (!closure || before >= py.PyTuple_Size(closure))
		return NULL;
	return py.PyTuple_GetItem(closure, before);
}

/* Where a variable is, and whether in a cell; NULL: nowhere. */
static struct object **place_of(void *frame, const struct code *code, int index,
				struct object **closure, bool *ret_cell)
{
	const struct variable *variable = &code->variables[index];
	struct object **slots =
		&PY_FIELD(struct object *, frame, layout->frame_locals);

	*ret_cell = variable->is_cell || variable->kind != VARIABLE_LOCAL;
	if (variable->slot < 0)
		return NULL;
	if (!*ret_cell || !incomplete(frame))
		return &slots[variable->slot];
	if (variable->kind == VARIABLE_FREE) {
		*closure = closure_cell(frame, code, index);
		return *closure ? closure : NULL;
	}
	*ret_cell = false;
	/* Of a cell that is no argument there is nothing yet. */
	return variable->kind == VARIABLE_LOCAL ? &slots[variable->slot] : NULL;
}

static struct object *local(void *frame, const struct code *code, int index)
{
	struct object *closure, **slot;
	bool is_cell;

	slot = place_of(frame, code, index, &closure, &is_cell);
	if (!slot || !*slot)
		return NULL;
	return is_cell ? frames_layout_cell(*slot) : py_ref(*slot);
}

static int set_local(void *frame, const struct code *code, int index,
		     struct object *value)
{
	struct object *closure, **slot;
	bool is_cell;

	slot = place_of(frame, code, index, &closure, &is_cell);
	return frames_layout_rebind(slot, is_cell, value);
}

/* A frame that is about to run, or just ran, is in no chain: `previous` is
 * set by the evaluator. Its caller is the thread's innermost frame. */
static void walk(void *frame, int max, frame_visit *visit, void *arg)
{
	void *top = tstate_frame(tstate_current());

	if (max <= 0 || frames_layout_show(frame, visit, arg))
		return;
	if (frame == top)
		top = PY_FIELD(void *, frame, layout->frame_back);
	frames_layout_chain(top, max - 1, visit, arg);
}

const struct frames_layout frames_layout_311 = {
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
	.hidden = incomplete,
	.is_call = is_call,
	.object = object,
};
