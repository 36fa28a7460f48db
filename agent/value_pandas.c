/* SPDX-License-Identifier: MIT */
/*
 * pandas: of frames, series and indexes the shape and the types of the items,
 * found where pandas keeps them (1.1 to 2.x): attributes of instances, and
 * members of its classes of C. Nothing of pandas is called; of what lies
 * elsewhere in a version nothing is told.
 */
#include "agent/array.h"
#include "agent/attributes.h"
#include "agent/getset.h"
#include "agent/sys.h"
#include "agent/value_numpy.h"
#include "agent/value_walk.h"

enum {
	KNOWN = 64, /* types remembered; a power of two */
	HOPS = 4,   /* from an index to its memory */
	TYPES = 32, /* of one frame */
};

enum kind { KIND_NONE, KIND_FRAME, KIND_SERIES, KIND_INDEX };

static const struct {
	const char *module, *name;
	enum kind kind;
} kinds[] = {
	{ "pandas.core.frame", "DataFrame", KIND_FRAME },
	{ "pandas.core.series", "Series", KIND_SERIES },
	{ "pandas.core.indexes.base", "Index", KIND_INDEX },
};

/* What was found for a type lately; see value_other.c. */
static struct known {
	const struct object *type;
	const char *name;
	enum kind kind;
} known[KNOWN];

static enum kind find_kind(const struct object *type)
{
	for (; type && type_is_python(type);
	     type = PY_FIELD(struct object *, type, TYPE_BASE)) {
		struct object *dict =
			PY_FIELD(struct object *, type, TYPE_DICT);
		const char *name = py_type_name(type);

		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
			struct object *module;

			if (!text_equal(name, kinds[i].name) || !dict)
				continue;
			module = py.PyDict_GetItemString(dict, "__module__");
			if (py_is_str(module) &&
			    !py.PyUnicode_CompareWithASCIIString(
				    module, kinds[i].module))
				return kinds[i].kind;
		}
	}
	return KIND_NONE;
}

static enum kind kind_of(const struct object *type)
{
	struct known *entry = &known[((uintptr_t)type >> 5) & (KNOWN - 1)];

	if (entry->type != type || entry->name != py_type_name(type)) {
		entry->type = type;
		entry->name = py_type_name(type);
		entry->kind = find_kind(type);
	}
	return entry->kind;
}

/* A member by name, of the instance or of its class of C: a new reference. */
static struct object *member(struct object *object, const char *name)
{
	struct object *found = attributes_find(object, name);

	return found ? py_ref(found) : getset_read(object, name);
}

static struct object *first_of(struct object *list)
{
	unsigned long flags = list ? py_type_flags(list->type) : 0;

	if (flags & PY_IS_LIST && py.PyList_Size(list) > 0)
		return py.PyList_GetItem(list, 0);
	if (flags & PY_IS_TUPLE && py.PyTuple_Size(list) > 0)
		return py.PyTuple_GetItem(list, 0);
	return NULL;
}

static int64_t range_length(struct object *range)
{
	long start = py_attr_long(range, "start", 0);
	long stop = py_attr_long(range, "stop", 0);
	long step = py_attr_long(range, "step", 1);

	if (step > 0)
		return stop > start ? (stop - start - 1) / step + 1 : 0;
	if (step < 0)
		return stop < start ? (start - stop - 1) / -step + 1 : 0;
	return -1;
}

/* What an index or an array of pandas keeps its items in; a new reference. */
static struct object *inner(struct object *object)
{
	static const char *const names[] = { "_range", "_data", "_ndarray",
					     "_left", "_codes" };
	struct object *found = NULL, *first;

	for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++)
		found = member(object, names[i]);
	first = first_of(found);
	if (!first)
		return found;
	py_ref(first);
	py_drop(found);
	return first;
}

/* How many items an index has, and of what type (in array, or size 0); -1: not
 * known. */
static int64_t read_items(struct object *object, struct array *array)
{
	struct object *at = py_ref(object);
	int64_t length = -1;

	array->element.size = 0;
	for (int i = 0; at && length < 0 && i < HOPS; i++) {
		struct object *next;

		if (value_numpy_read(at, array)) {
			length = array->dimensions
					 ? array->shape[array->dimensions - 1]
					 : -1;
			break;
		}
		next = inner(at);
		/* The object outside holds what we let go of. */
		py_drop(at);
		at = next;
		if (at && py_is(at, py.PyRange_Type))
			length = range_length(at);
	}
	py_drop(at);
	return length;
}

/* The type of what a column is kept in: numpy's, also of times that pandas
 * wraps; else the name of the class. */
static void write_type(struct json_writer *w, struct object *values)
{
	struct array array;

	read_items(values, &array);
	if (array.element.size &&
	    (value_numpy_read(values, &array) || array.element.kind == 'M' ||
	     array.element.kind == 'm'))
		json_string(w, array.type);
	else
		json_string(w, text_tail(py_type_name(values->type), '.'));
}

static struct object *block_at(struct object *blocks, pyssize i)
{
	bool is_tuple = py_type_flags(blocks->type) & PY_IS_TUPLE;

	return is_tuple ? py.PyTuple_GetItem(blocks, i)
			: py.PyList_GetItem(blocks, i);
}

static void write_types(struct value_whole *whole, struct object *blocks,
			bool one)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);
	pyssize count = (pyssize)value_length(blocks);

	json_key(w, one ? "$dtype" : "$dtypes");
	if (!one)
		json_array_begin(w);
	for (pyssize i = 0; i < count && i < (one ? 1 : TYPES); i++) {
		struct object *values = member(block_at(blocks, i), "values");

		if (values)
			write_type(w, values);
		else
			json_string(w, "?");
		py_drop(values);
	}
	if (!one)
		json_array_end(w);
	whole->cut |= !one && count > TYPES;
	value_settle(whole, mark);
}

static bool is_list(const struct object *object)
{
	return object &&
	       py_type_flags(object->type) & (PY_IS_LIST | PY_IS_TUPLE);
}

/* "$shape":[rows] or [rows,columns], as pandas has it. */
static void write_shape(struct value_whole *whole, struct object *axes)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);
	pyssize count = (pyssize)value_length(axes);
	struct array array;

	json_key(w, "$shape");
	json_array_begin(w);
	while (count-- > 0) {
		int64_t length = read_items(block_at(axes, count), &array);

		if (length < 0) {
			json_rewind(w, mark);
			return;
		}
		json_int(w, length);
	}
	json_array_end(w);
	value_settle(whole, mark);
}

/* An index; those that keep no items of one type tell none. */
static void write_index(struct value_whole *whole, struct object *object)
{
	struct object *values = member(object, "_data");
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);
	struct array array;
	int64_t length = read_items(object, &array);

	if (length >= 0) {
		json_key(w, "$shape");
		json_array_begin(w);
		json_int(w, length);
		json_array_end(w);
		value_settle(whole, mark);
	}
	mark = json_mark(w);
	if (!values)
		return;
	json_key(w, "$dtype");
	write_type(w, values);
	value_settle(whole, mark);
	py_drop(values);
}

static void write_table(struct value_whole *whole, struct object *manager,
			bool series)
{
	struct object *axes = member(manager, "axes");
	struct object *blocks = member(manager, "blocks");

	if (is_list(axes))
		write_shape(whole, axes);
	if (is_list(blocks) && (!series || value_length(blocks)))
		write_types(whole, blocks, series);
	py_drop(blocks);
	py_drop(axes);
}

bool value_pandas(struct value_walk *walk, struct object *object)
{
	enum kind kind = kind_of(object->type);
	struct object *manager = NULL;
	struct value_whole whole;

	if (kind == KIND_NONE)
		return false;
	if (kind != KIND_INDEX) {
		manager = attributes_find(object, "_mgr");
		if (!manager)
			manager = attributes_find(object, "_data");
		if (!manager)
			return false;
	}
	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return true;
	if (manager)
		write_table(&whole, manager, kind == KIND_SERIES);
	else
		write_index(&whole, object);
	value_end(&whole);
	return true;
}
