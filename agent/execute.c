/* SPDX-License-Identifier: MIT */
#include "agent/execute.h"

#include "agent/frames.h"
#include "agent/spot.h"
#include "agent/sys.h"

/* Adds the variables that are bound; -1 without memory. */
static int fill(struct object *dict, const struct scope *scope)
{
	const struct code *code = scope->code;

	for (int i = 0; i < code->variable_count; i++) {
		struct object *value = frames->local(scope->frame, code, i);
		int result;

		if (!value)
			continue;
		result =
			py.PyDict_SetItem(dict, code->variables[i].name, value);
		py_drop(value);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* A dict of the variables; one that was left by earlier statements goes on. */
static struct object *variables_of(const struct scope *scope,
				   struct object *earlier)
{
	struct object *dict = earlier ? py_ref(earlier) : py.PyDict_New();

	if (dict && fill(dict, scope) == 0)
		return dict;
	py_drop(dict);
	return NULL;
}

/* Carries over what statements rebound. Compared is with what was before, not
 * with the frame: a closure may have changed a cell behind our back, which the
 * old value must not overwrite. */
static int carry_over(const struct scope *scope, struct object *before,
		      struct object *after)
{
	const struct code *code = scope->code;
	int result = 0;

	for (int i = 0; i < code->variable_count; i++) {
		struct object *name = code->variables[i].name;
		struct object *was = py.PyDict_GetItem(before, name);
		struct object *is = py.PyDict_GetItem(after, name);

		if (was == is)
			continue;
		/* Held: the old value's destructor may empty the dict. */
		if (is)
			py_ref(is);
		if (!result)
			result = frames->set_local(scope->frame, code, i, is);
		py_drop(is);
	}
	return result;
}

/* How many of the variables a dict has. */
static pyssize known(const struct scope *scope, struct object *dict)
{
	const struct code *code = scope->code;
	pyssize count = 0;

	for (int i = 0; i < code->variable_count; i++)
		count += py.PyDict_GetItem(dict, code->variables[i].name) !=
			 NULL;
	return count;
}

/* In a function: its variables are not in a dict. */
static struct object *execute_fast(struct scope *scope, struct object *code)
{
	struct object *earlier = scope->locals;
	struct object *before = variables_of(scope, NULL);
	struct object *after = variables_of(scope, earlier);
	struct object *result = NULL;
	struct py_error error;

	if (before && after)
		result = py.PyEval_EvalCode(code, scope->globals, after);
	py_error_save(&error);
	if (before && after && carry_over(scope, before, after) < 0 && result) {
		py_drop(result);
		result = NULL;
	}
	if (!result && (error.type || error.value)) {
		py.PyErr_Clear();
		py_error_restore(&error);
	}
	scope->locals = NULL;
	if (after && py.PyDict_Size(after) > known(scope, after))
		scope->locals = py_ref(after);
	py_drop(earlier);
	py_drop(before);
	py_drop(after);
	return result;
}

struct object *execute_code(struct scope *scope, struct object *code)
{
	if (scope->code->flags & CODE_OPTIMIZED)
		return execute_fast(scope, code);
	return py.PyEval_EvalCode(code, scope->globals,
				  scope->locals ? scope->locals
						: scope->globals);
}

struct object *execute_jump(struct scope *scope, struct object *target)
{
	int line = spot_target(scope->code, target);

	if (frames->jump(scope->frame, line) < 0)
		return NULL;
	return py_ref(py._Py_NoneStruct);
}

/* A new reference to the frame as Python shows it, or to what stands for it. */
static struct object *frame_object(struct scope *scope)
{
	struct object *object = frames->object(scope->frame), *item[4];

	if (object)
		return py_ref(object);
	item[0] = py_ref(scope->code->object);
	item[1] = py_ref(scope->globals);
	item[2] = variables_of(scope, scope->locals);
	item[3] = py.PyLong_FromLong(frames->line(scope->frame));
	return expression_call("stand_in", 4, item);
}

struct object *execute_callback(struct scope *scope, struct object *target)
{
	struct object *item[] = { py_ref(target), frame_object(scope) };

	if (!item[1]) {
		py_drop(item[0]);
		return NULL;
	}
	return expression_call("call_back", 2, item);
}
