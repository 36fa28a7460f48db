/* SPDX-License-Identifier: MIT */
#include "agent/attributes.h"
#include "agent/getset.h"
#include "agent/sys.h"
#include "agent/value_walk.h"

enum {
	/* PySequenceMethods */
	SEQUENCE_LENGTH = 0,
	SEQUENCE_ITEM = 24,
	T_OBJECT = 6, /* kinds of members that are objects */
	T_OBJECT_EX = 16,
	/* Behind the head of a mappingproxy or a weakref, 3.7-3.15: what it is
	 * of. */
	REFERENT = 16,
};

typedef pyssize length_function(struct object *sequence);
typedef struct object *item_function(struct object *sequence, pyssize index);

/* The functions of the type of C, not those of a class made of it. */
void value_deque(struct value_walk *walk, struct object *object)
{
	const void *methods =
		PY_FIELD(void *, type_native(object->type), TYPE_SEQUENCE);
	length_function *length_of =
		PY_FIELD(length_function *, methods, SEQUENCE_LENGTH);
	item_function *item_of =
		PY_FIELD(item_function *, methods, SEQUENCE_ITEM);
	struct value_whole whole;
	long most;

	if (!value_begin(&whole, walk, object, VALUE_TREE))
		return;
	value_add_sequence(&whole, object, (size_t)length_of(object), item_of);
	most = getset_long(object, "maxlen", -1);
	if (most >= 0)
		value_add_int(&whole, "$maxlen", most);
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

/* A member of C of a type, by its name: PyMemberDef. */
static struct object *c_member(struct object *object, const char *name)
{
	struct object *native = type_native(object->type);
	const struct {
		const char *name;
		int type;
		pyssize offset;
		int flags;
		const char *doc;
	} *member = PY_FIELD(void *, native, TYPE_MEMBERS);

	for (; member && member->name; member++)
		if (text_equal(member->name, name) &&
		    (member->type == T_OBJECT || member->type == T_OBJECT_EX))
			return PY_FIELD(struct object *, object,
					member->offset);
	return NULL;
}

void value_defaultdict(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_TREE))
		return;
	value_add(&whole, "$default_factory",
		  c_member(object, "default_factory"));
	value_add_content(&whole, object);
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

void value_partial(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_TREE))
		return;
	value_add(&whole, "$function", c_member(object, "func"));
	value_add(&whole, "$args", c_member(object, "args"));
	value_add(&whole, "$keywords", c_member(object, "keywords"));
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

void value_mappingproxy(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_TREE))
		return;
	value_add(&whole, "$value",
		  PY_FIELD(struct object *, object, REFERENT));
	value_end(&whole);
}

/* A referent is not walked: it is nobody's here, and may be half gone. */
void value_weakref(struct value_walk *walk, struct object *object)
{
	struct object *to = PY_FIELD(struct object *, object, REFERENT);
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_TREE))
		return;
	value_add_as(&whole, "$to",
		     to && to->refcount > 0 ? to : py._Py_NoneStruct,
		     value_identity);
	value_end(&whole);
}
