/* SPDX-License-Identifier: MIT */
#include "agent/attributes.h"

#include "agent/sys.h"

enum {
	INLINE_VALUES = 1 << 2, /* Py_TPFLAGS_*; 3.13+ */
	MANAGED_DICT = 1 << 4,	/* 3.11+ */
	IMMUTABLE = 1 << 8,	/* 3.10+; of C, in heap types, too */
	HEAP_TYPE = 1 << 9,

	SLOT = 16, /* T_OBJECT_EX */

	/* PyDictKeysObject, 3.11+ */
	KEYS_LOG2_INDEX_BYTES = 9,
	KEYS_KIND = 10,
	KEYS_COUNT = 24,
	KEYS_INDICES = 32,
	KEYS_GENERAL = 0,
	ENTRY_SIZE = 16, /* key, value */

	/* PyDictValues, 3.13+: capacity, size, embedded, valid */
	VALUES_SIZE = 1,
	VALUES_VALID = 3,
	VALUES_FIRST = 8,
	VALUES_MOST = 30, /* SHARED_KEYS_MAX_SIZE */
};

/* PyMemberDef, stable since 2.2 */
struct member {
	const char *name;
	int type;
	pyssize offset;
	int flags;
	const char *doc;
};

/* PyHeapTypeObject.ht_cached_keys by minor version, and the size of the whole
 * that this is true of. */
static const struct {
	short minor, keys, size;
} cached_keys[] = {
	{ 11, 872, 904 }, { 12, 880, 920 }, { 13, 880, 928 },
	{ 14, 880, 936 }, { 15, 888, 944 },
};

/* In use; 0: not known, or not proven. */
static int keys_at;

bool type_is_python(const struct object *type)
{
	unsigned long flags = py_type_flags(type);

	return (flags & HEAP_TYPE) && !(py.minor >= 10 && (flags & IMMUTABLE));
}

struct object *type_native(struct object *type)
{
	while (type && type_is_python(type))
		type = PY_FIELD(struct object *, type, TYPE_BASE);
	return type;
}

/* How many items follow the fixed part of an object of a size that varies. */
static pyssize item_count(struct object *object)
{
	pyssize size = PY_FIELD(pyssize, object, 16);

	/* _PyLong.lv_tag: the digits, and three bits more */
	if (py.minor >= 12 && (py_type_flags(object->type) & PY_IS_INT))
		return (pyssize)((size_t)size >> 3);
	return size < 0 ? -size : size;
}

/* The dict of an object whose type says where it is; NULL without. */
static struct object *dict_by_offset(struct object *object)
{
	const struct object *type = object->type;
	pyssize at = PY_FIELD(pyssize, type, TYPE_DICTOFFSET);

	if (at < 0) {
		pyssize size = PY_FIELD(pyssize, type, TYPE_BASICSIZE) +
			       item_count(object) *
				       PY_FIELD(pyssize, type, TYPE_ITEMSIZE);

		at += (size + 7) & ~(pyssize)7;
	}
	return at > 0 ? PY_FIELD(struct object *, object, at) : NULL;
}

/* The names that go with values: of the type, shared by its objects. */
static bool use_keys(struct attributes *walk)
{
	const char *keys = PY_FIELD(char *, walk->object->type, keys_at);

	if (!keys || keys[KEYS_KIND] == KEYS_GENERAL)
		return false;
	walk->entries =
		keys + KEYS_INDICES +
		((size_t)1 << (unsigned char)keys[KEYS_LOG2_INDEX_BYTES]);
	walk->entry_size = ENTRY_SIZE;
	return PY_FIELD(pyssize, keys, KEYS_COUNT) <= VALUES_MOST;
}

/* 3.11 and 3.12: sizes and order lie before the values, backwards. */
static void use_values_11(struct attributes *walk, char *values)
{
	walk->values = (struct object **)values;
	walk->count = ((unsigned char *)values)[-2];
	walk->order = (unsigned char *)values - 3;
	walk->step = -1;
}

/* 3.13+: they lie in the object. */
static void use_values_13(struct attributes *walk)
{
	unsigned char *values =
		(unsigned char *)walk->object +
		PY_FIELD(pyssize, walk->object->type, TYPE_BASICSIZE);

	if (!values[VALUES_VALID])
		return;
	walk->values = (struct object **)(values + VALUES_FIRST);
	walk->count = values[VALUES_SIZE];
	walk->order = values + VALUES_FIRST + 8 * (size_t)values[0];
	walk->step = 1;
}

/* Finds a managed dict, or the values that stand for one. */
static void use_managed(struct attributes *walk)
{
	struct object **before = (struct object **)walk->object;
	uintptr_t word = (uintptr_t)before[-3];

	if (py.minor == 11) {
		walk->dict = before[-3];
		if (before[-4])
			use_values_11(walk, (char *)before[-4]);
	} else if (py.minor == 12 && (word & 1)) {
		use_values_11(walk, (char *)(word + 1));
	} else {
		walk->dict = (struct object *)word;
		if (!word && py.minor > 12 &&
		    (py_type_flags(walk->object->type) & INLINE_VALUES))
			use_values_13(walk);
	}
	if (walk->values && (!use_keys(walk) || walk->count > VALUES_MOST))
		walk->values = NULL;
}

static const struct member *members_of(const struct object *type)
{
	return PY_FIELD(const struct member *, type, TYPE_MEMBERS);
}

void attributes_begin(struct attributes *walk, struct object *object)
{
	const struct object *type = object->type;

	*walk = (struct attributes){ .object = object };
	if (type_is_python(type)) {
		walk->type = object->type;
		walk->member = members_of(type);
	}
	if (!(py_type_flags(type) & MANAGED_DICT) || py.minor < 11)
		walk->dict = dict_by_offset(object);
	else if (keys_at)
		use_managed(walk);
	if (walk->dict && !(py_type_flags(walk->dict->type) & PY_IS_DICT))
		walk->dict = NULL;
}

/* The next slot that holds something. */
static bool next_slot(struct attributes *walk, struct attribute *found)
{
	while (walk->type) {
		const struct member *member = walk->member;

		if (!member || !member->name) {
			walk->type = PY_FIELD(struct object *, walk->type,
					      TYPE_BASE);
			if (walk->type && !type_is_python(walk->type))
				walk->type = NULL;
			if (walk->type)
				walk->member = members_of(walk->type);
			continue;
		}
		walk->member++;
		if (member->type != SLOT)
			continue;
		found->slot = member->name;
		found->key = NULL;
		found->value =
			PY_FIELD(struct object *, walk->object, member->offset);
		if (found->value)
			return true;
	}
	return false;
}

/* The next of the values without a dict. */
static bool next_value(struct attributes *walk, struct attribute *found)
{
	while (walk->values && walk->position < walk->count) {
		int index = walk->order[walk->step * walk->position++];

		if (index >= VALUES_MOST)
			return false;
		found->slot = NULL;
		found->value = walk->values[index];
		found->key = *(struct object **)(walk->entries +
						 index * walk->entry_size);
		if (found->value && found->key)
			return true;
	}
	return false;
}

bool attributes_next(struct attributes *walk, struct attribute *ret_attribute)
{
	if (next_slot(walk, ret_attribute))
		return true;
	if (!walk->dict)
		return next_value(walk, ret_attribute);
	ret_attribute->slot = NULL;
	return py.PyDict_Next(walk->dict, &walk->position, &ret_attribute->key,
			      &ret_attribute->value);
}

struct object *attributes_find(struct object *object, const char *name)
{
	struct attribute attribute;
	struct attributes walk;

	attributes_begin(&walk, object);
	while (attributes_next(&walk, &attribute)) {
		if (attribute.slot && text_equal(attribute.slot, name))
			return attribute.value;
		if (!attribute.slot && py_is_str(attribute.key) &&
		    !py.PyUnicode_CompareWithASCIIString(attribute.key, name))
			return attribute.value;
	}
	return NULL;
}

/* Is the next attribute of this name? Its value, or NULL. */
static struct object *next_is(struct attributes *walk, const char *name)
{
	struct attribute found;

	if (!attributes_next(walk, &found) || found.slot ||
	    !py_is_str(found.key) ||
	    py.PyUnicode_CompareWithASCIIString(found.key, name))
		return NULL;
	return found.value;
}

static int find_keys(void)
{
	pyssize size = PY_FIELD(pyssize, py.PyType_Type, TYPE_BASICSIZE);

	for (size_t i = 0; i < sizeof cached_keys / sizeof *cached_keys; i++)
		if (cached_keys[i].minor == py.minor &&
		    cached_keys[i].size == size)
			return cached_keys[i].keys;
	return 0;
}

void attributes_prove(struct object *sample)
{
	struct attributes walk;
	struct object *name;

	keys_at = find_keys();
	if (!keys_at)
		return;
	attributes_begin(&walk, sample);
	name = next_is(&walk, "name");
	if (!py_is_str(name) ||
	    py.PyUnicode_CompareWithASCIIString(name, "nopdb") ||
	    next_is(&walk, "loader") != py._Py_NoneStruct)
		keys_at = 0;
}
