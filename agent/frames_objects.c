/* SPDX-License-Identifier: MIT */
#include "agent/frames_objects.h"

#include "agent/code.h"

static struct object *object_globals(void *frame)
{
	return py.PyFrame_GetGlobals(frame);
}

/* PyFrame_GetVar finds free variables and cells too, also at the entry of the
 * function (measured on 3.12.1 and 3.13.0), and raises NameError for what is
 * unbound. */
static struct object *local_by_name(void *frame, const struct code *code,
				    int index)
{
	struct object *value =
		py.PyFrame_GetVar(frame, code->variables[index].name);

	if (!value)
		py.PyErr_Clear();
	return value;
}

/* PyFrame_GetVar compares names, one after the other: half of what it costs to
 * capture ten locals. Plain locals are read where they are (PyFrameObject:
 * f_frame; _PyInterpreterFrame: localsplus), after that was found to give the
 * same objects PROOFS times; one other, and names it is for good. The self-test
 * of each attach makes more reads than that. */
enum {
	FRAME = 24,
	LOCALS_12 = 72, /* 3.12, 3.13 */
	LOCALS_14 = 80,
	PROOFS = 6,
	TAGS = 3, /* of a _PyStackRef, 3.14 and later; all: no object */
};

static int proofs; /* -1: it is another layout */

static struct object *local_in_place(void *frame, int slot)
{
	char *inner = PY_FIELD(char *, frame, FRAME);
	size_t locals = py.minor < 14 ? LOCALS_12 : LOCALS_14;
	uintptr_t bits =
		PY_FIELD(uintptr_t, inner, locals + (size_t)slot * sizeof bits);

	return (struct object *)((bits & TAGS) == TAGS
					 ? 0
					 : bits & ~(uintptr_t)TAGS);
}

static __attribute__((noinline)) struct object *prove_local(
	void *frame, const struct code *code, int index, int slot)
{
	struct object *value = local_by_name(frame, code, index);

	if (value && proofs >= 0)
		proofs = value == local_in_place(frame, slot) ? proofs + 1 : -1;
	return value;
}

static struct object *object_local(void *frame, const struct code *code,
				   int index)
{
	int slot = code->variables[index].slot;
	struct object *value;

	if (slot < 0)
		return local_by_name(frame, code, index);
	if (proofs < PROOFS)
		return prove_local(frame, code, index, slot);
	value = local_in_place(frame, slot);
	return value ? py_ref(value) : NULL;
}

/* 3.12: through the frame's dict, which is made anew for that, so that no other
 * variable gets a stale value. From 3.13 on it is a proxy that writes through,
 * and refuses to unbind. */
static int object_set_local(void *frame, const struct code *code, int index,
			    struct object *value)
{
	struct object *name = code->variables[index].name;
	struct object *locals = py.PyFrame_GetLocals(frame);
	int result = -1;

	if (!locals)
		return -1;
	if (value)
		result = py.PyObject_SetItem(locals, name, value);
	else
		result = py.PyObject_DelItem(locals, name);
	if (result == 0 && py.minor <= 12)
		py.PyFrame_LocalsToFast(frame, 1);
	py_drop(locals);
	return result;
}

static struct object *object_name_space(void *frame)
{
	struct object *locals = py.PyFrame_GetLocals(frame);

	if (!locals)
		py.PyErr_Clear();
	return locals;
}

static int object_jump(void *frame, int line)
{
	struct object *number = py.PyLong_FromLong(line);
	int result = -1;

	if (number)
		result = py.PyObject_SetAttrString(frame, "f_lineno", number);
	py_drop(number);
	return result;
}

static int object_line(void *frame)
{
	int line = py.PyFrame_GetLineNumber(frame);

	return line > 0 ? line : 0;
}

static int object_lasti(void *frame)
{
	return py.PyFrame_GetLasti(frame);
}

static void *object_of_object(struct object *object)
{
	return object;
}

/* Visits one frame; the visitor's answer. */
static int object_visit(struct object *frame, frame_visit *visit, void *arg)
{
	struct object *code = py.PyFrame_GetCode(frame);
	int answer = visit(code, py.PyFrame_GetLasti(frame), frame, arg);

	/* The frame holds it as well: never the last reference. */
	py.Py_DecRef(code);
	return answer;
}

/* Visits at most max frames from this one outwards; takes the reference.
 * Non-zero when the visitor ended it. */
static int object_walk_from(struct object *frame, long max, frame_visit *visit,
			    void *arg)
{
	int answer = 0;

	while (frame && !answer && max-- > 0) {
		struct object *back;

		answer = object_visit(frame, visit, arg);
		back = answer ? NULL : py.PyFrame_GetBack(frame);
		py.Py_DecRef(frame);
		frame = back;
	}
	if (frame && !answer)
		py.Py_DecRef(frame);
	return answer;
}

static void object_walk(void *frame, int max, frame_visit *visit, void *arg)
{
	object_walk_from(py_ref(frame), max, visit, arg);
}

/* Locals come first in a frame, in the order of their names; a cell is found by
 * name, as is what a class or module has. */
static void object_slots(struct code *code)
{
	for (int i = 0; i < code->variable_count; i++) {
		struct variable *v = &code->variables[i];
		bool in_place = code->flags & CODE_OPTIMIZED &&
				v->kind == VARIABLE_LOCAL && !v->is_cell;

		v->slot = in_place ? (short)i : -1;
		v->cell_slot = -1;
	}
}

/* Only the main interpreter's threads: others may have a GIL of their own, and
 * no event of theirs reaches the engine. */
static void object_visit_threads(frame_visit *visit, void *arg)
{
	void *self = py.PyThreadState_Get();
	void *thread =
		py.PyInterpreterState_ThreadHead(py.PyInterpreterState_Main());

	for (; thread; thread = py.PyThreadState_Next(thread)) {
		struct object *frame;

		if (thread == self)
			continue;
		frame = py.PyThreadState_GetFrame(thread);
		if (object_walk_from(frame, __LONG_MAX__, visit, arg))
			return;
	}
}

static struct object *object_itself(void *frame)
{
	return frame;
}

const struct frame_ops frames_objects = {
	.object = object_itself,
	.globals = object_globals,
	.local = object_local,
	.set_local = object_set_local,
	.name_space = object_name_space,
	.jump = object_jump,
	.line = object_line,
	.lasti = object_lasti,
	.of_object = object_of_object,
	.walk = object_walk,
	.slots = object_slots,
	.visit_threads = object_visit_threads,
};
