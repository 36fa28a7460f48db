/* SPDX-License-Identifier: MIT */
#include "agent/loaded.h"

enum { TRUST = 1024, TRUST_PARTIAL = 16 };

static struct object *find(struct object *modules, const char *name)
{
	struct object *module = py.PyDict_GetItemString(modules, name);

	py.PyErr_Clear();
	return module && py_is(module, py.PyModule_Type) ? module : NULL;
}

bool loaded_changed(struct loaded *loaded)
{
	struct object *modules = py.PyImport_GetModuleDict();
	struct object *before = loaded->module, *now;
	pyssize size;

	if (!modules || !py_is(modules, py.PyDict_Type))
		return false;
	size = py.PyDict_Size(modules);
	if (modules == loaded->modules && size == loaded->size &&
	    loaded->trust) {
		loaded->trust--;
		return false;
	}
	loaded->modules = modules;
	loaded->size = size;
	loaded->trust = loaded->partial ? TRUST_PARTIAL : TRUST;
	now = find(modules, loaded->name);
	if (now == before)
		return now && loaded->partial;
	loaded->partial = false;
	loaded->trust = TRUST;
	loaded->module = now ? py_ref(now) : NULL;
	py_drop(before);
	return true;
}

struct object *loaded_member(const struct loaded *loaded, const char *name,
			     const struct object *type)
{
	struct object *names, *member = NULL;

	names = loaded->module ? py.PyModule_GetDict(loaded->module) : NULL;
	if (names)
		member = py.PyDict_GetItemString(names, name);
	py.PyErr_Clear();
	return member && py_is(member, type) ? py_ref(member) : NULL;
}

struct object *loaded_now(const char *module, const char *member)
{
	struct object *modules = py.PyImport_GetModuleDict(), *found;

	if (!modules || !py_is(modules, py.PyDict_Type))
		return NULL;
	found = find(modules, module);
	if (!found)
		return NULL;
	found = py.PyDict_GetItemString(py.PyModule_GetDict(found), member);
	py.PyErr_Clear();
	return found;
}

void loaded_release(struct loaded *loaded)
{
	py_drop(loaded->module);
	loaded->module = loaded->modules = NULL;
	loaded->size = 0;
	loaded->partial = false;
	loaded->trust = 0;
}
