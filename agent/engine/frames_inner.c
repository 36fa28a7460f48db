/* SPDX-License-Identifier: MIT */
#include "agent/engine/frames_inner.h"

#include "agent/code.h"
#include "agent/engine/frames_layout.h"
#include "agent/frames_objects.h"

/* Fields that all versions have in one place: _PyInterpreterFrame (f_executable
 * is f_code on 3.12, instr_ptr prev_instr), PyFrameObject, PyCodeObject. */
enum {
	EXECUTABLE = 0,
	PREVIOUS = 8,
	GLOBALS = 24,
	INSTRUCTION = 56,
	OBJECT_FRAME = 24,
	GENERATOR_FRAME = 72, /* gi_iframe, and of coroutines */
	/* _co_firsttraceable, an int, before co_code_adaptive */
	PROLOGUE_BEFORE = 16,
	UNIT = 2, /* bytes of an instruction */
};

enum {
	TAGS = 3, /* of a _PyStackRef, 3.14 and later; all: no object */
	OWNED_BY_GENERATOR = 1, /* enum _frameowner */
	OWNED_BY_C = 3,		/* and above: of no code */
};

/* What differs, from which version on. */
static const struct inner_layout {
	int minor;
	short thread_cframe;	 /* 3.12; its first field is the frame */
	short thread_frame;	 /* PyThreadState.current_frame */
	short owner;		 /* a char, never negative */
	short locals;		 /* localsplus */
	short code_instructions; /* co_code_adaptive */
} rows[] = {
	{ 15, 0, 72, 74, 80, 208 },
	{ 14, 0, 72, 74, 80, 208 },
	{ 13, 0, 72, 70, 72, 200 },
	{ 12, 56, 0, 70, 72, 192 },
};

static struct inner_layout inner;

bool frames_inner_find(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].minor != py.minor)
			continue;
		inner = rows[i];
		return true;
	}
	return false;
}

/* What a slot holds, borrowed; NULL: nothing. */
static struct object *untagged(uintptr_t bits)
{
	if ((bits & TAGS) == TAGS)
		return NULL;
	return (struct object *)(bits & ~(uintptr_t)TAGS);
}

struct object *frames_inner_code(void *frame)
{
	return untagged(PY_FIELD(uintptr_t, frame, EXECUTABLE));
}

int frames_inner_prologue(const struct object *code)
{
	return PY_FIELD(int, code, inner.code_instructions - PROLOGUE_BEFORE);
}

static int lasti(void *frame)
{
	char *code = (char *)frames_inner_code(frame);

	return (int)(PY_FIELD(char *, frame, INSTRUCTION) -
		     (code + inner.code_instructions));
}

/* _PyFrame_IsIncomplete: an entry from C, or cells are not made yet. */
static bool hidden(void *frame)
{
	int owner = PY_FIELD(unsigned char, frame, inner.owner);

	if (owner == OWNED_BY_GENERATOR)
		return false;
	if (owner >= OWNED_BY_C)
		return true;
	return lasti(frame) <
	       frames_inner_prologue(frames_inner_code(frame)) * UNIT;
}

/* This frame, or the first around it that CPython shows. */
static void *shown(void *frame)
{
	while (frame && hidden(frame))
		frame = PY_FIELD(void *, frame, PREVIOUS);
	return frame;
}

void *frames_inner_back(void *frame)
{
	return shown(PY_FIELD(void *, frame, PREVIOUS));
}

void *frames_inner_innermost(void *thread)
{
	void *cframe;

	if (!inner.thread_cframe)
		return PY_FIELD(void *, thread, inner.thread_frame);
	/* NULL for a moment in a thread state that is being made. */
	cframe = PY_FIELD(void *, thread, inner.thread_cframe);
	return cframe ? *(void **)cframe : NULL;
}

void *frames_inner_current(const struct object *code)
{
	void *frame = shown(frames_inner_innermost(py.PyThreadState_Get()));

	return frame && frames_inner_code(frame) == code ? frame : NULL;
}

static struct object *globals(void *frame)
{
	struct object *dict = PY_FIELD(struct object *, frame, GLOBALS);

	return dict ? py_ref(dict) : NULL;
}

static void *of_object(struct object *object)
{
	return PY_FIELD(void *, object, OBJECT_FRAME);
}

static void *of_waiting(struct object *generator, const struct object *code)
{
	void *frame = (char *)generator + GENERATOR_FRAME;

	return frames_inner_code(frame) == code ? frame : NULL;
}

struct object *frames_inner_generator(void *frame)
{
	if (PY_FIELD(unsigned char, frame, inner.owner) != OWNED_BY_GENERATOR)
		return NULL;
	return (struct object *)((char *)frame - GENERATOR_FRAME);
}

/* Makes it if need be. NULL: it is not the frame that this thread runs, or
 * there is no memory. */
static struct object *object(void *frame)
{
	struct object *made = py.PyEval_GetFrame();

	return made && of_object(made) == frame ? made : NULL;
}

static struct object *local(void *frame, const struct code *code, int index)
{
	const struct variable *variable = &code->variables[index];
	struct object *value;

	if (variable->slot < 0) {
		value = object(frame);
		return value ? frames_objects.local(value, code, index) : NULL;
	}
	value = untagged(
		PY_FIELD(uintptr_t, frame,
			 (size_t)inner.locals +
				 (size_t)variable->slot * sizeof(uintptr_t)));
	if (!value)
		return NULL;
	if (variable->is_cell || variable->kind != VARIABLE_LOCAL)
		return frames_layout_cell(value);
	return py_ref(value);
}

/* The object that a change goes through, or NULL with an exception. */
static struct object *object_to_change(void *frame)
{
	struct object *made = object(frame);

	if (!made)
		py.PyErr_Restore(py_ref(py.PyExc_KeyError),
				 py.PyUnicode_InternFromString(
					 "the frame cannot be reached"),
				 NULL);
	return made;
}

static int set_local(void *frame, const struct code *code, int index,
		     struct object *value)
{
	struct object *made = object_to_change(frame);

	return made ? frames_objects.set_local(made, code, index, value) : -1;
}

static int jump(void *frame, int line)
{
	struct object *made = object_to_change(frame);

	return made ? frames_objects.jump(made, line) : -1;
}

/* Through the object: on 3.13 and later it may be a proxy that knows the
 * variables of a comprehension as well. */
static struct object *name_space(void *frame)
{
	struct object *made = object(frame);

	return made ? frames_objects.name_space(made) : NULL;
}

static int line(void *frame)
{
	int number =
		py.PyCode_Addr2Line(frames_inner_code(frame), lasti(frame));

	return number > 0 ? number : 0;
}

static int walk_from(void *frame, int max, frame_visit *visit, void *arg)
{
	for (; frame && max > 0; max--) {
		int end = visit(frames_inner_code(frame), lasti(frame), frame,
				arg);

		if (end)
			return end;
		frame = frames_inner_back(frame);
	}
	return 0;
}

static void walk(void *frame, int max, frame_visit *visit, void *arg)
{
	walk_from(frame, max, visit, arg);
}

/* What a class or module has is found by name. */
static void slots(struct code *code)
{
	frames_layout_slots(code);
	if (code->flags & CODE_OPTIMIZED)
		return;
	for (int i = 0; i < code->variable_count; i++)
		code->variables[i].slot = -1;
}

/* Only the main interpreter's threads: others may have a GIL of their own, and
 * no event of theirs reaches the engine. */
static void visit_threads(frame_visit *visit, void *arg)
{
	void *self = py.PyThreadState_Get();
	void *thread =
		py.PyInterpreterState_ThreadHead(py.PyInterpreterState_Main());

	for (; thread; thread = py.PyThreadState_Next(thread))
		if (thread != self &&
		    walk_from(shown(frames_inner_innermost(thread)),
			      FRAMES_DEEPEST, visit, arg))
			return;
}

const struct frame_ops frames_inner = {
	.object = object,
	.globals = globals,
	.local = local,
	.set_local = set_local,
	.name_space = name_space,
	.jump = jump,
	.line = line,
	.lasti = lasti,
	.of_object = of_object,
	.of_waiting = of_waiting,
	.walk = walk,
	.slots = slots,
	.visit_threads = visit_threads,
};
