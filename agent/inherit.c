/* SPDX-License-Identifier: MIT */
#include "agent/inherit.h"

#include "agent/match.h"
#include "agent/sys.h"
#include "agent/walk.h"
#include "proto/glob.h"

enum { WRAPPED = 16 }; /* classmethod, staticmethod; property's getter */

/* The class of a name in a namespace, borrowed. */
static struct object *class_in(struct object *dict, const char *name)
{
	struct object *value = dict && py_is(dict, py.PyDict_Type)
				       ? py.PyDict_GetItemString(dict, name)
				       : NULL;

	return value && py_type_flags(value->type) & PY_IS_TYPE ? value : NULL;
}

/* What a class has of this name, its bases asked as well: the function in it,
 * borrowed. */
static struct object *function_of(struct object *class, const char *name)
{
	struct object *str = py.PyUnicode_InternFromString(name);
	struct object *value = NULL;

	if (str && py._PyType_Lookup)
		value = py._PyType_Lookup(class, str);
	py_drop(str);
	if (value && (py_is(value, py.PyClassMethod_Type) ||
		      py_is(value, py.PyStaticMethod_Type) ||
		      py_is(value, py.PyProperty_Type)))
		value = PY_FIELD(struct object *, value, WRAPPED);
	return value && py_is(value, py.PyFunction_Type) ? value : NULL;
}

/* Follows Outer.Sub.meth from a module's globals. */
static struct object *follow(struct object *globals, const char *path)
{
	struct object *space = globals, *class = NULL;
	char name[LIMIT_NAME];
	size_t length;

	for (;; path += length + 1) {
		for (length = 0; path[length] && path[length] != '.'; length++)
			name[length] = path[length];
		name[length] = '\0';
		if (!path[length])
			return class ? function_of(class, name) : NULL;
		class = class_in(space, name);
		if (!class)
			return NULL;
		space = PY_FIELD(struct object *, class, TYPE_DICT);
	}
}

struct object *inherit_find(const struct location *where)
{
	struct object *loaded = py.PyImport_GetModuleDict();
	struct object *modules, *found = NULL;

	if (!glob_is_literal(where->function) || !loaded ||
	    !py_is(loaded, py.PyDict_Type))
		return NULL;
	modules = py.PyDict_Values(loaded);
	for (pyssize i = 0; modules && !found && i < py.PyList_Size(modules);
	     i++) {
		struct object *module = py.PyList_GetItem(modules, i), *globals;

		if (!py_is(module, py.PyModule_Type))
			continue;
		globals = py.PyModule_GetDict(module);
		if (globals && match_module(where, globals))
			found = follow(globals, where->function);
	}
	if (found)
		py_ref(found);
	py.PyErr_Clear();
	py_drop(modules);
	return found;
}
