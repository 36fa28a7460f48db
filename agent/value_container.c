/* SPDX-License-Identifier: MIT */
#include "agent/attributes.h"
#include "agent/ordered.h"
#include "agent/sys.h"
#include "agent/value_walk.h"

/* Levels of JSON that a container takes: its $type object and its array; a
 * plain list may turn into that when it is cut. A pair takes one more. */
enum { LEVELS = 2 };

static const struct value_form list_form = {
	.name = "list",
	.plain = "[",
	.typed = "{\"$type\":\"list\",\"$items\":[",
	.close = ']',
};

static const struct value_form tuple_form = {
	.name = "tuple",
	.typed = "{\"$type\":\"tuple\",\"$items\":[",
	.close = ']',
};

static const struct value_form set_form = {
	.name = "set",
	.typed = "{\"$type\":\"set\",\"$items\":[",
	.close = ']',
};

static const struct value_form frozenset_form = {
	.name = "frozenset",
	.typed = "{\"$type\":\"frozenset\",\"$items\":[",
	.close = ']',
};

static const struct value_form dict_form = {
	.name = "dict",
	.plain = "{",
	.typed = "{\"$type\":\"dict\",\"$items\":{",
	.close = '}',
};

static const struct value_form pairs_form = {
	.name = "dict",
	.typed = "{\"$type\":\"dict\",\"$pairs\":[",
	.close = ']',
};

static const struct value_form frozendict_form = {
	.name = "frozendict",
	.typed = "{\"$type\":\"frozendict\",\"$items\":{",
	.close = '}',
};

static const struct value_form frozen_pairs_form = {
	.name = "frozendict",
	.typed = "{\"$type\":\"frozendict\",\"$pairs\":[",
	.close = ']',
};

/* The next item of a container, borrowed; NULL at the end. */
typedef struct object *next_item(struct object *container, pyssize *position);

static struct object *next_of_list(struct object *list, pyssize *position)
{
	if (*position >= py.PyList_Size(list))
		return NULL;
	return py.PyList_GetItem(list, (*position)++);
}

static struct object *next_of_tuple(struct object *tuple, pyssize *position)
{
	if (*position >= py.PyTuple_Size(tuple))
		return NULL;
	return py.PyTuple_GetItem(tuple, (*position)++);
}

static struct object *next_of_set(struct object *set, pyssize *position)
{
	struct object *item;
	intptr_t hash;

	if (!py._PySet_NextEntry ||
	    !py._PySet_NextEntry(set, position, &item, &hash))
		return NULL;
	return item;
}

/* How many of length items, each of at least `least` bytes with its comma, are
 * worth looking at: no more than the limit, and than the room can hold. */
static size_t worth(const struct value_walk *walk, size_t length, size_t least)
{
	size_t fit = json_room(walk->w) / least + 1;

	if (length > walk->items)
		length = walk->items;
	return length < fit ? length : fit;
}

/* Is an item named by the one before it? In a pair (a header), and behind what
 * looks like an option of a command. */
static bool named_before(const struct value_walk *walk, struct object *before,
			 const struct object *item, size_t length)
{
	char first;

	if (!before)
		return false;
	if (length != 2 &&
	    (!py_is_str(before) || value_copy_text(before, &first, 1) != 1 ||
	     first != '-'))
		return false;
	return value_key_hides(walk, before, item);
}

static next_item *next_of(const struct object *object)
{
	unsigned long flags = py_type_flags(object->type);

	if (flags & PY_IS_LIST)
		return next_of_list;
	return flags & PY_IS_TUPLE ? next_of_tuple : next_of_set;
}

bool value_is_dict(const struct object *object)
{
	const struct object *native;

	if (py_type_flags(object->type) & PY_IS_DICT)
		return true;
	native = py.minor < 15 ? NULL : type_native(object->type);
	return native && text_equal(py_type_name(native), "frozendict");
}

size_t value_length(struct object *object)
{
	unsigned long flags = py_type_flags(object->type);

	if (flags & PY_IS_LIST)
		return (size_t)py.PyList_Size(object);
	if (flags & PY_IS_TUPLE)
		return (size_t)py.PyTuple_Size(object);
	if (value_is_dict(object))
		return (size_t)py.PyDict_Size(object);
	return (size_t)py.PySet_Size(object);
}

/* Writes up to `shown` items; returns how many. */
static size_t fill(struct value_walk *walk, struct object *object,
		   size_t length, size_t shown)
{
	next_item *next = next_of(object);
	struct json_writer *w = walk->w;
	struct object *before = NULL;
	pyssize position = 0;
	size_t count = 0;

	for (; count < shown; count++) {
		struct json_mark mark = json_mark(w);
		struct object *item = next(object, &position);

		if (!item)
			break;
		if (named_before(walk, before, item, length))
			value_redacted(w, item, "name");
		else
			value_any(walk, item);
		if (next != next_of_set)
			before = item;
		if (w->full) {
			json_rewind(w, mark);
			break;
		}
	}
	return count;
}

bool value_fill_items(struct value_walk *walk, struct object *object)
{
	size_t length = value_length(object);

	return fill(walk, object, length, worth(walk, length, 2)) == length;
}

static void write_items(struct value_walk *walk, struct object *object,
			const struct value_form *form)
{
	size_t length = value_length(object);
	size_t shown = worth(walk, length, 2), count;
	struct value_part part;

	if (!value_enter(walk, object, form->name, LEVELS, length))
		return;
	if (value_open(walk->w, &part, form, shown < length, length)) {
		count = fill(walk, object, length, shown);
		value_close(walk->w, &part, count < length, length);
	}
	value_leave(walk, LEVELS);
}

void value_list(struct value_walk *walk, struct object *object)
{
	write_items(walk, object, &list_form);
}

void value_tuple(struct value_walk *walk, struct object *object)
{
	write_items(walk, object, &tuple_form);
}

void value_set(struct value_walk *walk, struct object *object)
{
	write_items(walk, object, &set_form);
}

void value_frozenset(struct value_walk *walk, struct object *object)
{
	write_items(walk, object, &frozenset_form);
}

bool value_is_member_name(const struct value_walk *walk, struct object *key)
{
	pyssize length;

	if (!py_is_str(key))
		return false;
	length = py.PyUnicode_GetLength(key);
	if (length > (pyssize)walk->string)
		return false;
	if (walk->redaction->strict && value_key_gives_away(walk, key))
		return false;
	return !length || py.PyUnicode_ReadChar(key, 0) != '$';
}

/* The next entry of a dict, or of those that were put into order. */
static bool next_entry(struct object *dict, const struct ordered *ordered,
		       pyssize *position, struct object **key,
		       struct object **value)
{
	const struct ordered_entry *entry;

	if (!ordered)
		return py.PyDict_Next(dict, position, key, value);
	if ((size_t)*position >= ordered->count)
		return false;
	entry = &ordered->entry[(*position)++];
	*key = entry->key;
	*value = entry->value;
	return true;
}

/* Asked before anything is written: to start anew at the first odd key would
 * double the work at each level. */
static bool is_plain_dict(const struct value_walk *walk, struct object *dict,
			  const struct ordered *ordered, size_t shown)
{
	struct object *key, *value;
	pyssize position = 0;

	while (shown-- && next_entry(dict, ordered, &position, &key, &value))
		if (!value_is_member_name(walk, key))
			return false;
	return true;
}

/* A value that goes by a key. */
static void write_keyed(struct value_walk *walk, struct object *key,
			struct object *value)
{
	if (value_key_hides(walk, key, value))
		value_redacted(walk->w, value, "name");
	else
		value_any(walk, value);
}

static void write_member(struct value_walk *walk, struct object *key,
			 struct object *value)
{
	struct json_writer *w = walk->w;

	json_string_begin(w);
	value_characters(w, key, SIZE_MAX);
	value_append(w, "\":", 2);
	w->comma = false;
	write_keyed(walk, key, value);
}

static void write_pair(struct value_walk *walk, struct object *key,
		       struct object *value)
{
	json_array_begin(walk->w);
	value_any(walk, key);
	write_keyed(walk, key, value);
	json_array_end(walk->w);
}

/* Writes up to `shown` entries; returns how many. */
static size_t write_entries(struct value_walk *walk, struct object *dict,
			    const struct ordered *ordered, bool plain,
			    size_t shown)
{
	struct json_writer *w = walk->w;
	struct object *key, *value;
	pyssize position = 0;
	size_t count = 0;

	walk->nesting += !plain;
	for (; count < shown; count++) {
		struct json_mark mark = json_mark(w);

		if (!next_entry(dict, ordered, &position, &key, &value))
			break;
		if (plain)
			write_member(walk, key, value);
		else
			write_pair(walk, key, value);
		if (w->full) {
			json_rewind(w, mark);
			break;
		}
	}
	walk->nesting -= !plain;
	return count;
}

size_t value_worth(const struct value_walk *walk, struct object *dict)
{
	return worth(walk, value_length(dict), 4);
}

bool value_dict_is_plain(const struct value_walk *walk, struct object *dict,
			 const struct ordered *ordered)
{
	return is_plain_dict(walk, dict, ordered, value_worth(walk, dict));
}

bool value_fill_dict(struct value_walk *walk, struct object *dict,
		     const struct ordered *ordered, bool plain)
{
	return write_entries(walk, dict, ordered, plain,
			     value_worth(walk, dict)) == value_length(dict);
}

static void write_dict(struct value_walk *walk, struct object *object,
		       const struct value_form *members,
		       const struct value_form *pairs)
{
	size_t length = (size_t)py.PyDict_Size(object);
	size_t shown = worth(walk, length, 4), count;
	struct value_part part;
	bool plain;

	if (!value_enter(walk, object, members->name, LEVELS, length))
		return;
	plain = is_plain_dict(walk, object, NULL, shown);
	if (value_open(walk->w, &part, plain ? members : pairs, shown < length,
		       length)) {
		count = write_entries(walk, object, NULL, plain, shown);
		value_close(walk->w, &part, count < length, length);
	}
	value_leave(walk, LEVELS);
}

void value_dict(struct value_walk *walk, struct object *object)
{
	write_dict(walk, object, &dict_form, &pairs_form);
}

/* What is made of it has a type and attributes of its own. */
void value_frozendict(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (type_native(object->type) == object->type) {
		write_dict(walk, object, &frozendict_form, &frozen_pairs_form);
		return;
	}
	if (!value_begin(&whole, walk, object, VALUE_TREE))
		return;
	value_add_content(&whole, object);
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

/* {"$type":NAME,"$start":..,"$stop":..,"$step":..}: the members of range and
 * slice are plain C ones, reading them runs no user code. */
static void write_bounds(struct value_walk *walk, struct object *object,
			 const char *name)
{
	static const char *const members[] = { "start", "stop", "step" };
	static const char *const keys[] = { "$start", "$stop", "$step" };
	struct json_writer *w = walk->w;

	json_object_begin(w);
	json_key(w, "$type");
	json_string(w, name);
	for (int i = 0; i < 3 && !w->full; i++) {
		struct object *value = py_attr(object, members[i]);

		json_key(w, keys[i]);
		value_any(walk, value);
		py_drop(value);
	}
	json_object_end(w);
}

void value_range(struct value_walk *walk, struct object *object)
{
	write_bounds(walk, object, "range");
}

void value_slice(struct value_walk *walk, struct object *object)
{
	if (!value_enter(walk, object, "slice", 1, 3))
		return;
	write_bounds(walk, object, "slice");
	value_leave(walk, 1);
}
