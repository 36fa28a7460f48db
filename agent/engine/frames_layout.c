/* SPDX-License-Identifier: MIT */
#include "agent/engine/frames_layout.h"

#include "agent/code.h"
#include "agent/engine/tstate.h"

enum { CELL_CONTENT = 16 }; /* PyCellObject.ob_ref */

struct object *frames_layout_globals(void *frame)
{
	struct object *globals =
		PY_FIELD(struct object *, frame, layout->frame_globals);

	return globals ? py_ref(globals) : NULL;
}

int frames_layout_line(void *frame)
{
	int line = py.PyCode_Addr2Line(frames_layout_code(frame),
				       frames->lasti(frame));

	return line > 0 ? line : 0;
}

struct object *frames_layout_cell(struct object *cell)
{
	/* Another tool may have put anything there. */
	if (!py_is(cell, py.PyCell_Type))
		return py_ref(cell);
	return py.PyCell_Get(cell);
}

/* The mapping of code that is not optimized. */
struct object *frames_layout_namespace(void *frame)
{
	struct object *names =
		PY_FIELD(struct object *, frame, layout->frame_namespace);

	return names ? py_ref(names) : NULL;
}

int frames_layout_rebind(struct object **slot, bool is_cell,
			 struct object *value)
{
	struct object *old;

	if (slot && *slot && is_cell && py_is(*slot, py.PyCell_Type))
		slot = &PY_FIELD(struct object *, *slot, CELL_CONTENT);
	if (!slot) {
		/* KeyError, as of a mapping without the name. */
		py.PyErr_Restore(py_ref(py.PyExc_KeyError),
				 py.PyUnicode_InternFromString(
					 "the variable is not there yet"),
				 NULL);
		return -1;
	}
	old = *slot;
	*slot = value ? py_ref(value) : NULL;
	py_drop(old);
	return 0;
}

/* The index of a name in a tuple of names, -1 when it is not there. Names in
 * code objects are interned. */
static int index_of(struct object *names, const struct object *name)
{
	pyssize count = names ? py.PyTuple_Size(names) : 0;

	for (pyssize i = 0; i < count; i++)
		if (py.PyTuple_GetItem(names, i) == name)
			return (int)i;
	return -1;
}

struct names {
	struct object *locals, *cells, *frees;
};

/* Where a cell of its own (not an argument) lies behind the locals: 3.11 has
 * one slot for an argument that is a cell, before there are two. */
static int cell_offset(const struct names *names, int index)
{
	int skipped = 0;

	if (py.minor < 11)
		return index;
	for (int i = 0; i < index; i++)
		if (index_of(names->locals,
			     py.PyTuple_GetItem(names->cells, i)) >= 0)
			skipped++;
	return index - skipped;
}

static void place(struct variable *variable, const struct names *names)
{
	int locals = (int)py.PyTuple_Size(names->locals);
	int cells = (int)py.PyTuple_Size(names->cells);
	int local = index_of(names->locals, variable->name);
	int cell = index_of(names->cells, variable->name);
	int free = index_of(names->frees, variable->name);

	variable->slot = variable->cell_slot = -1;
	if (variable->kind == VARIABLE_LOCAL) {
		variable->slot = (short)local;
		variable->is_cell = cell >= 0;
		if (cell >= 0 && py.minor < 11)
			variable->cell_slot = (short)(locals + cell);
	} else if (variable->kind == VARIABLE_CELL && cell >= 0) {
		variable->slot = (short)(locals + cell_offset(names, cell));
	} else if (variable->kind == VARIABLE_FREE && free >= 0) {
		variable->slot =
			(short)(locals + cell_offset(names, cells) + free);
	}
}

/* All names of a code object are in three tuples, and the slots follow their
 * order. */
void frames_layout_slots(struct code *code)
{
	struct names names = {
		.locals = py_attr(code->object, "co_varnames"),
		.cells = py_attr(code->object, "co_cellvars"),
		.frees = py_attr(code->object, "co_freevars"),
	};

	for (int i = 0; i < code->variable_count; i++) {
		struct variable *variable = &code->variables[i];

		variable->slot = variable->cell_slot = -1;
		if (names.locals && names.cells && names.frees)
			place(variable, &names);
	}
	py_drop(names.locals);
	py_drop(names.cells);
	py_drop(names.frees);
}

static const struct frames_layout *kind(void)
{
	return py.minor < 11 ? &frames_layout_legacy : &frames_layout_311;
}

int frames_layout_show(void *frame, frame_visit *visit, void *arg)
{
	return visit(frames_layout_code(frame), frames->lasti(frame), frame,
		     arg);
}

int frames_layout_chain(void *frame, int max, frame_visit *visit, void *arg)
{
	while (frame && max > 0) {
		if (!kind()->hidden(frame)) {
			int end = frames_layout_show(frame, visit, arg);

			if (end)
				return end;
			max--;
		}
		frame = PY_FIELD(void *, frame, layout->frame_back);
	}
	return 0;
}

struct other_threads {
	void *me;
	frame_visit *visit;
	void *arg;
};

static int visit_thread(void *thread, void *arg)
{
	struct other_threads *others = arg;

	if (thread == others->me)
		return 0;
	return frames_layout_chain(tstate_frame(thread), FRAMES_DEEPEST,
				   others->visit, others->arg);
}

void frames_layout_visit_threads(frame_visit *visit, void *arg)
{
	struct other_threads others = { tstate_current(), visit, arg };

	tstate_each(visit_thread, &others);
}
