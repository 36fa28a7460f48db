/* SPDX-License-Identifier: MIT */
#include "agent/walk.h"

#include "agent/memory.h"
#include "agent/sys.h"

/* Fields of objects whose layout is the same in 3.7-3.15 GIL builds, after the
 * two words of every object. */
enum {
	WRAPPED = 16, /* classmethod, staticmethod, partial,
		       * bound method */
	PROPERTY_GET = 16,
	PROPERTY_SET = 24,
	PROPERTY_DELETE = 32,
};

#define IS_CLASS (1ul << 31) /* Py_TPFLAGS_TYPE_SUBCLASS */

enum {
	INSTANCE_VALUES = 64, /* of an instance's dict, looked at */
	INSTANCE_DEPTH = 2,   /* in a module, or in a class of it */
};

static void walk_value(struct walk *w, struct object *value, int depth);

struct walk *walk_new(discover_visit *visit, void *arg)
{
	struct walk *w = memory_get(sizeof *w);

	if (w) {
		w->visit = visit;
		w->arg = arg;
	}
	return w;
}

void walk_free(struct walk *w)
{
	memory_put(w, sizeof *w);
}

/* Was it here before? A full set remembers no more: the steps bound the rest.
 * An address that was freed and used again hides one object: it is found when
 * it runs. */
static bool seen(struct walk *w, struct object *object)
{
	size_t at = ((uintptr_t)object >> 4) * 0x9e3779b1u >> 8;

	for (;; at++) {
		struct object **slot = &w->seen[at % WALK_SEEN];

		if (*slot == object)
			return true;
		if (*slot)
			continue;
		if (w->seen_count < WALK_SEEN * 3 / 4) {
			*slot = object;
			w->seen_count++;
		}
		return false;
	}
}

static bool go_on(struct walk *w, int depth)
{
	return !w->stop && depth < WALK_DEPTH && w->steps-- > 0;
}

static void walk_constants(struct walk *w, const struct discovered *outer,
			   int depth)
{
	struct object *constants = py_attr(outer->code, "co_consts");
	pyssize count = 0;

	if (constants && py_is(constants, py.PyTuple_Type))
		count = py.PyTuple_Size(constants);
	for (pyssize i = 0; i < count; i++) {
		struct discovered inner = {
			.code = py.PyTuple_GetItem(constants, i),
			.globals = outer->globals,
			.outer = outer,
		};

		if (!py_is(inner.code, py.PyCode_Type) || !go_on(w, depth))
			continue;
		w->stop = w->visit(&inner, w->arg);
		walk_constants(w, &inner, depth + 1);
	}
	py_drop(constants);
}

void walk_code(struct walk *w, const struct discovered *found)
{
	if (w->steps < WALK_STEPS)
		w->steps = WALK_STEPS;
	w->stop = w->visit(found, w->arg);
	walk_constants(w, found, 0);
}

/* At most `most` values of a dict. */
static void walk_values(struct walk *w, struct object *dict, int most,
			int depth)
{
	struct object *key, *value;
	pyssize at = 0;

	while (most-- > 0 && !w->stop &&
	       py.PyDict_Next(dict, &at, &key, &value)) {
		py_ref(value);
		walk_value(w, value, depth);
		py_drop(value);
	}
}

/* The dict of an instance whose type has a place for one; NULL when it has
 * none yet. Plain classes of 3.11+ keep theirs elsewhere: making it would
 * change the program. Borrowed. */
static struct object *instance_dict(struct object *object)
{
	pyssize offset = PY_FIELD(pyssize, object->type, TYPE_DICT_OFFSET);
	struct object *dict;

	if (offset <= 0)
		return NULL;
	dict = PY_FIELD(struct object *, object, offset);
	return dict && py_is(dict, py.PyDict_Type) ? dict : NULL;
}

static void walk_closure(struct walk *w, struct object *function, int depth)
{
	struct object *cells = py.PyFunction_GetClosure(function);
	pyssize count = 0;

	if (cells && py_is(cells, py.PyTuple_Type))
		count = py.PyTuple_Size(cells);
	for (pyssize i = 0; i < count; i++) {
		struct object *cell = py.PyTuple_GetItem(cells, i), *value;

		if (!py_is(cell, py.PyCell_Type))
			continue;
		value = py.PyCell_Get(cell);
		if (value)
			walk_value(w, value, depth);
		py_drop(value);
	}
}

/* A function: its code, and what it wraps. */
static void walk_function(struct walk *w, struct object *function, int depth)
{
	struct discovered found = {
		.code = py_ref(py.PyFunction_GetCode(function)),
		.globals = py_ref(py.PyFunction_GetGlobals(function)),
		.function = function,
	};
	struct object *dict = instance_dict(function), *wrapped;

	w->stop = w->visit(&found, w->arg);
	walk_constants(w, &found, 0);
	py_drop(found.code);
	py_drop(found.globals);
	wrapped = dict ? py.PyDict_GetItemString(dict, "__wrapped__") : NULL;
	if (wrapped) {
		py_ref(wrapped);
		walk_value(w, wrapped, depth);
		py_drop(wrapped);
	}
	walk_closure(w, function, depth);
}

static void walk_field(struct walk *w, struct object *object, size_t offset,
		       int depth)
{
	struct object *value = PY_FIELD(struct object *, object, offset);

	if (!value)
		return;
	py_ref(value);
	walk_value(w, value, depth);
	py_drop(value);
}

/* The class's own attributes, past any metaclass. tp_dict is NULL for static
 * types since 3.12: they have no Python code. */
static void walk_class(struct walk *w, struct object *class, int depth)
{
	struct object *dict = PY_FIELD(struct object *, class, TYPE_DICT);

	if (!dict || !py_is(dict, py.PyDict_Type))
		return;
	py_ref(dict);
	walk_values(w, dict, w->steps, depth);
	py_drop(dict);
}

/* functools.partial, a C type that is not exported: the name of a class made
 * by Python has no module in it. */
static bool is_partial(struct object *object)
{
	return text_equal(py_type_name(object->type), "functools.partial");
}

/* Any other object: functions that its dict holds, as lru_cache (__wrapped__),
 * cached_property (func) and the commands and tasks of frameworks do. */
static void walk_instance(struct walk *w, struct object *object, int depth)
{
	struct object *dict = instance_dict(object);

	if (!dict || depth > INSTANCE_DEPTH)
		return;
	py_ref(dict);
	walk_values(w, dict, INSTANCE_VALUES, depth + WALK_DEPTH / 2);
	py_drop(dict);
}

static void walk_value(struct walk *w, struct object *value, int depth)
{
	struct object *type = value->type;

	if (!go_on(w, depth))
		return;
	if (type == py.PyUnicode_Type || type == py.PyLong_Type ||
	    type == py.PyModule_Type || type == py.PyDict_Type ||
	    seen(w, value))
		return;
	depth++;
	if (type == py.PyFunction_Type) {
		walk_function(w, value, depth);
	} else if (py_type_flags(type) & IS_CLASS) {
		walk_class(w, value, depth);
	} else if (type == py.PyClassMethod_Type ||
		   type == py.PyStaticMethod_Type || type == py.PyMethod_Type ||
		   is_partial(value)) {
		walk_field(w, value, WRAPPED, depth);
	} else if (type == py.PyProperty_Type) {
		walk_field(w, value, PROPERTY_GET, depth);
		walk_field(w, value, PROPERTY_SET, depth);
		walk_field(w, value, PROPERTY_DELETE, depth);
	} else {
		walk_instance(w, value, depth);
	}
}

void walk_namespace(struct walk *w, struct object *dict)
{
	memset(w->seen, 0, sizeof w->seen);
	w->seen_count = 0;
	w->steps = WALK_STEPS;
	py_ref(dict);
	walk_values(w, dict, WALK_STEPS, 0);
	py_drop(dict);
}
