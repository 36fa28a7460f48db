/* SPDX-License-Identifier: MIT */
#include "agent/getset.h"

#include "agent/attributes.h"
#include "agent/sys.h"

/* PyGetSetDef, stable since 2.2 */
struct getset {
	const char *name;
	struct object *(*get)(struct object *object, void *closure);
	int (*set)(struct object *object, struct object *value, void *closure);
	const char *doc;
	void *closure;
};

/* PyTypeObject.tp_getset, 3.7-3.15 */
enum { TYPE_GETSET = 248 };

static const struct getset *find(const struct object *type, const char *name)
{
	for (; type; type = PY_FIELD(struct object *, type, TYPE_BASE)) {
		const struct getset *one =
			PY_FIELD(const struct getset *, type, TYPE_GETSET);

		for (; one && one->name; one++)
			if (text_equal(one->name, name))
				return one;
	}
	return NULL;
}

struct object *getset_read(struct object *object, const char *name)
{
	const struct getset *found = find(type_native(object->type), name);
	struct object *value = NULL;

	if (found && found->get)
		value = found->get(object, found->closure);
	if (!value)
		py.PyErr_Clear();
	return value;
}

long getset_long(struct object *object, const char *name, long missing)
{
	struct object *value = getset_read(object, name);
	long number = missing;

	if (value && py_is(value, py.PyLong_Type))
		number = py.PyLong_AsLong(value);
	py.PyErr_Clear();
	py_drop(value);
	return number;
}
