/* SPDX-License-Identifier: MIT */
#include "agent/greenlet.h"

#include "agent/loaded.h"

static struct loaded module = { .name = "greenlet" };

/* Of the module, held; NULL: it was not imported, or is another one. */
static struct {
	struct object *current;	 /* getcurrent(), a builtin */
	struct object *name;	 /* "parent" */
	struct object *property; /* greenlet.parent */
} known;

static void forget(void)
{
	py_drop(known.current);
	py_drop(known.name);
	py_drop(known.property);
	known.current = known.name = known.property = NULL;
}

static void learn(void)
{
	struct object *type;

	forget();
	type = loaded_member(&module, "greenlet", py.PyType_Type);
	module.partial = module.module && !type;
	if (!type || !py._PyType_Lookup) {
		py_drop(type);
		return;
	}
	known.name = py.PyUnicode_InternFromString("parent");
	if (known.name)
		known.property = py._PyType_Lookup(type, known.name);
	if (known.property)
		py.Py_IncRef(known.property);
	py_drop(type);
	if (known.property)
		known.current = loaded_member(&module, "getcurrent",
					      py.PyCFunction_Type);
	module.partial = !known.current;
	py.PyErr_Clear();
}

/* A new reference; NULL when it is not to be had without the class's code. */
static struct object *parent_of(struct object *greenlet)
{
	struct object *parent;

	if (py._PyType_Lookup(greenlet->type, known.name) != known.property)
		return NULL;
	parent = py.PyObject_GenericGetAttr(greenlet, known.name);
	if (!parent)
		py.PyErr_Clear();
	return parent;
}

void greenlet_write(struct json_writer *w)
{
	struct object *greenlet, *parent;

	if (loaded_changed(&module))
		learn();
	if (!known.current)
		return;
	greenlet = py.PyObject_CallObject(known.current, NULL);
	if (!greenlet) {
		py.PyErr_Clear();
		return;
	}
	parent = parent_of(greenlet);
	json_key(w, "greenlet");
	json_object_begin(w);
	json_key(w, "id");
	json_hex(w, (uintptr_t)greenlet);
	json_key(w, "parent");
	if (parent && parent != py._Py_NoneStruct)
		json_hex(w, (uintptr_t)parent);
	else
		json_null(w);
	json_object_end(w);
	/* Both are held: by the thread, and by the one that runs. */
	py_drop(parent);
	py_drop(greenlet);
}

void greenlet_release(void)
{
	forget();
	loaded_release(&module);
}
