/* SPDX-License-Identifier: MIT */
#include "agent/value_walk.h"

#include "agent/sys.h"

enum {
	TP_DICT = 264,	    /* of heap types valid on 3.7-3.15 */
	HEAP_TYPE = 1 << 9, /* Py_TPFLAGS_HEAPTYPE */
	NAME_MOST = 256,    /* characters of a module or name */
	/* PyGetSetDescrObject.d_getset after PyDescr_COMMON, 3.7-3.10 */
	D_GETSET = 40,
};

/* PyGetSetDef, stable since 2.2 */
struct getset {
	const char *name;
	struct object *(*get)(struct object *object, void *closure);
	int (*set)(struct object *object, struct object *value, void *closure);
	const char *doc;
	void *closure;
};

/* type.__qualname__ itself, whatever a metaclass put before it: until 3.10 no
 * function gives it. */
static struct object *qualname_by_getset(struct object *type)
{
	static const struct getset *getset;
	struct object *dict, *descriptor;

	if (!getset) {
		dict = PY_FIELD(struct object *, py.PyType_Type, TP_DICT);
		descriptor = py.PyDict_GetItemString(dict, "__qualname__");
		if (!descriptor)
			return NULL;
		getset = PY_FIELD(struct getset *, descriptor, D_GETSET);
	}
	return getset->get(type, getset->closure);
}

/* New reference, or NULL. Runs no user code. */
static struct object *qualname(struct object *type)
{
	struct object *name;

	name = py.PyType_GetQualName ? py.PyType_GetQualName(type)
				     : qualname_by_getset(type);
	if (!name)
		py.PyErr_Clear();
	return name;
}

static void heap_type_name(struct json_writer *w, struct object *type)
{
	struct object *dict = PY_FIELD(struct object *, type, TP_DICT);
	struct object *module = NULL, *name = qualname(type);

	if (dict)
		module = py.PyDict_GetItemString(dict, "__module__");
	json_string_begin(w);
	if (py_is_str(module) &&
	    py.PyUnicode_CompareWithASCIIString(module, "builtins")) {
		value_characters(w, module, NAME_MOST);
		value_append(w, ".", 1);
	}
	if (py_is_str(name))
		value_characters(w, name, NAME_MOST);
	value_append(w, "\"", 1);
	py_drop(name);
}

void value_type_name(struct json_writer *w, struct object *type)
{
	if (py_type_flags(type) & HEAP_TYPE)
		heap_type_name(w, type);
	else
		json_string(w, py_type_name(type));
}

void value_object(struct json_writer *w, const struct object *object)
{
	json_object_begin(w);
	json_key(w, "$type");
	value_type_name(w, object->type);
	json_key(w, "$id");
	json_hex(w, (uintptr_t)object);
	json_object_end(w);
}

void value_identity(struct value_walk *walk, struct object *object)
{
	if (object == py._Py_NoneStruct)
		json_null(walk->w);
	else
		value_object(walk->w, object);
}
