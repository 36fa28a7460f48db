/* SPDX-License-Identifier: MIT */
#include "agent/live.h"

#include "agent/expression.h"
#include "agent/frames.h"

static const char witness[] = "nopdb.given:note";

/* Adds what is bound; -1 without memory. */
static int fill(struct object *dict, const struct code *code, void *frame,
		int count)
{
	for (int i = 0; i < count; i++) {
		struct object *value = frames->local(frame, code, i);
		int result = 0;

		if (value)
			result = py.PyDict_SetItem(
				dict, code->variables[i].name, value);
		py_drop(value);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* Takes the dict. */
static uint64_t tell(struct object *dict)
{
	struct object *item[] = { expression_text(witness), dict };
	struct object *answer = expression_call("call_back", 2, item);
	long number = 0;

	if (answer && py_is(answer, py.PyLong_Type))
		number = py.PyLong_AsLong(answer);
	py_drop(answer);
	py.PyErr_Clear();
	return number > 0 ? (uint64_t)number : 0;
}

uint64_t live_note(const struct code *code, void *frame, int count,
		   struct object *result)
{
	struct object *dict = py.PyDict_New();

	if (dict && fill(dict, code, frame, count) == 0 &&
	    (!result || py.PyDict_SetItemString(dict, "return", result) == 0))
		return tell(dict);
	py_drop(dict);
	py.PyErr_Clear();
	return 0;
}
