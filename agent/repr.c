/* SPDX-License-Identifier: MIT */
#include "agent/repr.h"

#include "agent/armed.h"
#include "agent/attributes.h"
#include "agent/budget.h"
#include "agent/frames.h"
#include "agent/live.h"
#include "agent/ration.h"
#include "agent/signalled.h"
#include "agent/sys.h"

static const struct reprs *in_use;

/* The exact built-in types of data are told whole as they are. */
static bool is_wanted(const struct object *object)
{
	const struct object *type;

	if (!object || object == py._Py_NoneStruct ||
	    object == py._Py_EllipsisObject)
		return false;
	type = object->type;
	if (object == py._Py_TrueStruct || object == py._Py_FalseStruct)
		return false;
	return type != py.PyLong_Type && type != py.PyFloat_Type &&
	       type != py.PyComplex_Type && type != py.PyUnicode_Type &&
	       type != py.PyBytes_Type && type != py.PyByteArray_Type &&
	       type != py.PyList_Type && type != py.PyTuple_Type &&
	       type != py.PyDict_Type && type != py.PySet_Type &&
	       type != py.PyFrozenSet_Type && type != py.PyRange_Type &&
	       type != py.PySlice_Type;
}

void repr_ask(struct repr *repr, struct object *object, struct probe *probe)
{
	struct py_error error = { NULL, NULL, NULL };
	struct budget budget;

	if (!is_wanted(object))
		return;
	repr->object = py_ref(object);
	budget_begin(&budget, probe->spec.limits.eval_ms);
	repr->text = py.PyObject_Repr(object);
	repr->interrupted = budget_end(&budget);
	if (!repr->text) {
		py_error_save(&error);
		(void)signalled_take(&error);
	}
	repr->error_type = error.type;
	repr->error_value = error.value;
	py_drop(error.traceback);
	py.PyErr_Clear();
	if (repr->interrupted && *armed_flag)
		probe->spec.limits.repr = 0;
}

static bool goes_on(const struct probe *probe)
{
	return *armed_flag && probe->spec.limits.repr;
}

static void ask_variables(struct reprs *reprs, struct probe *probe,
			  const struct code *code, void *frame, int count)
{
	const struct redaction *redaction = &probe->spec.limits.redaction;

	if (!probe->spec.limits.repr)
		return;
	reprs->count = count < REPR_MOST ? count : REPR_MOST;
	for (int i = 0; goes_on(probe) && i < reprs->count; i++) {
		const struct variable *v = &code->variables[i];
		struct object *value = frames->local(frame, code, i);

		if (!redact_name(redaction, v->key, v->key_length,
				 v->is_secret))
			repr_ask(&reprs->variable[i], value, probe);
		py_drop(value);
	}
}

/* The objects themselves, noted within the time of statements. */
static void note_live(struct reprs *reprs, struct probe *probe,
		      const struct code *code, void *frame, int count,
		      struct object *result)
{
	struct budget budget;

	budget_begin(&budget, probe->spec.limits.exec_ms);
	reprs->live = live_note(code, frame, count, result);
	if (budget_end(&budget) && *armed_flag)
		probe->spec.limits.live = 0;
	py.PyErr_Clear();
}

bool reprs_make(struct reprs *reprs, struct probe *probe,
		const struct code *code, void *frame, int count,
		struct object *result)
{
	const char *name = text_tail(code->names.qualname, '.');
	const struct redaction *redaction = &probe->spec.limits.redaction;
	struct budget whole;

	memset(reprs, 0, sizeof *reprs);
	if (budget_open())
		return true;
	budget_begin(&whole, 0);
	ration_begin();
	ask_variables(reprs, probe, code, frame, count);
	if (goes_on(probe) &&
	    !redact_name(redaction, name, text_length(name), code->is_secret))
		repr_ask(&reprs->result, result, probe);
	if (*armed_flag && probe->spec.limits.live)
		note_live(reprs, probe, code, frame, count, result);
	ration_end();
	budget_end(&whole);
	return *armed_flag;
}

void repr_release(struct repr *repr)
{
	struct repr old = *repr;

	*repr = (struct repr){ .object = NULL };
	py_drop(old.text);
	py_drop(old.error_type);
	py_drop(old.error_value);
	py_drop(old.object);
	/* A destructor may have left an error. */
	py.PyErr_Clear();
}

void reprs_release(struct reprs *reprs)
{
	for (int i = 0; i < reprs->count; i++)
		if (reprs->variable[i].object)
			repr_release(&reprs->variable[i]);
	if (reprs->result.object)
		repr_release(&reprs->result);
}

void reprs_use(const struct reprs *reprs)
{
	in_use = reprs;
}

uint64_t reprs_live(void)
{
	return in_use ? in_use->live : 0;
}

const struct repr *reprs_of(int variable, const struct object *object)
{
	const struct repr *repr = NULL;

	if (!in_use)
		return NULL;
	if (variable < 0)
		repr = &in_use->result;
	else if (variable < in_use->count)
		repr = &in_use->variable[variable];
	return repr && repr->object == object ? repr : NULL;
}
