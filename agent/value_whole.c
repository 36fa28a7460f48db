/* SPDX-License-Identifier: MIT */
#include "agent/attributes.h"
#include "agent/ordered.h"
#include "agent/repr.h"
#include "agent/sys.h"
#include "agent/value.h"
#include "agent/value_walk.h"

enum { TEXT_MOST = 256 /* characters of a name or a path */ };

static void write_repr(struct value_walk *walk, const struct repr *repr)
{
	struct json_writer *w = walk->w;
	struct json_mark mark = json_mark(w);

	json_string_begin(w);
	if (py_type_flags(repr->text->type) & PY_IS_STR)
		value_characters(w, repr->text, walk->string);
	json_string_end(w);
	if (walk->redaction->strict)
		value_strict(walk, mark, repr->text, false);
}

static void write_repr_error(struct json_writer *w, const struct repr *repr,
			     const struct probe_limits *limits)
{
	if (!repr->interrupted) {
		value_write_exception(w, repr->error_type, repr->error_value,
				      NULL, limits);
		return;
	}
	json_object_begin(w);
	json_key(w, "type");
	json_string(w, "nopdb");
	json_key(w, "message");
	json_string(w, "interrupted: it took longer than its budget; the "
		       "probe asks no more");
	json_object_end(w);
}

/* "$repr" or "$repr_error" of the outermost object. The name of a cut text is
 * that of a whole one: "$truncated" says it. */
static void add_repr(struct value_whole *whole)
{
	struct value_walk *walk = whole->walk;
	const struct repr *repr = walk->repr;
	struct json_writer *w = walk->w;
	struct json_mark mark = json_mark(w);
	bool good = repr->text && !repr->interrupted;

	walk->repr = NULL;
	json_key(w, good ? "$repr" : "$repr_error");
	if (good)
		write_repr(walk, repr);
	else
		write_repr_error(w, repr, walk->limits);
	if (good && (size_t)py.PyUnicode_GetLength(repr->text) > walk->string)
		whole->cut = true;
	value_settle(whole, mark);
}

bool value_begin(struct value_whole *whole, struct value_walk *walk,
		 struct object *object, enum value_shape shape)
{
	struct json_writer *w = walk->w;

	*whole = (struct value_whole){ .walk = walk };
	if (value_in_cycle(walk, object))
		return false;
	json_object_begin(w);
	json_key(w, "$type");
	value_type_name(w, object->type);
	json_key(w, "$id");
	json_hex(w, (uintptr_t)object);
	if (w->full || json_room(w) < VALUE_RESERVE) {
		w->full = true;
		return false;
	}
	if (walk->repr && walk->repr->object == object) {
		w->end -= VALUE_RESERVE;
		add_repr(whole);
		w->end += VALUE_RESERVE;
	}
	if (shape == VALUE_EMPTY || value_too_nested(walk, WHOLE_LEVELS) ||
	    (shape == VALUE_TREE && value_too_deep(walk, WHOLE_LEVELS))) {
		if (shape != VALUE_EMPTY || whole->cut) {
			value_truncated(w);
		}
		json_object_end(w);
		return false;
	}
	w->end -= VALUE_RESERVE;
	value_push(walk, object, WHOLE_LEVELS);
	return true;
}

void value_end(struct value_whole *whole)
{
	struct json_writer *w = whole->walk->w;

	w->end += VALUE_RESERVE;
	if (whole->cut) {
		value_truncated(w);
	}
	if (whole->cut && whole->length) {
		json_key(w, "$len");
		json_uint(w, whole->length);
	}
	json_object_end(w);
	value_leave(whole->walk, WHOLE_LEVELS);
}

void value_settle(struct value_whole *whole, struct json_mark mark)
{
	if (!whole->walk->w->full)
		return;
	json_rewind(whole->walk->w, mark);
	whole->cut = true;
}

void value_add(struct value_whole *whole, const char *key,
	       struct object *object)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	if (!object)
		return;
	json_key(w, key);
	if (value_hides(whole->walk, key, text_length(key), object))
		value_redacted(w, object, "name");
	else
		value_any(whole->walk, object);
	value_settle(whole, mark);
}

void value_add_as(struct value_whole *whole, const char *key,
		  struct object *object,
		  void (*write)(struct value_walk *, struct object *))
{
	struct json_mark mark = json_mark(whole->walk->w);

	json_key(whole->walk->w, key);
	write(whole->walk, object);
	value_settle(whole, mark);
}

void value_add_type_name(struct value_whole *whole, struct object *type)
{
	struct json_mark mark = json_mark(whole->walk->w);

	json_key(whole->walk->w, "$name");
	value_type_name(whole->walk->w, type);
	value_settle(whole, mark);
}

void value_add_text(struct value_whole *whole, const char *key,
		    const char *text)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	json_key(w, key);
	json_string(w, text);
	value_settle(whole, mark);
}

static void text_of(struct json_writer *w, struct object *str)
{
	if (py_is_str(str))
		value_characters(w, str, TEXT_MOST);
}

void value_add_str(struct value_whole *whole, const char *key,
		   struct object *str)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	if (!py_is_str(str))
		return;
	json_key(w, key);
	json_string_begin(w);
	text_of(w, str);
	json_string_end(w);
	value_settle(whole, mark);
}

void value_add_name(struct value_whole *whole, struct object *module,
		    struct object *qualname)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	json_key(w, "$name");
	json_string_begin(w);
	text_of(w, module);
	if (py_is_str(module))
		value_append(w, ":", 1);
	text_of(w, qualname);
	json_string_end(w);
	value_settle(whole, mark);
}

void value_add_int(struct value_whole *whole, const char *key, int64_t value)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	json_key(w, key);
	json_int(w, value);
	value_settle(whole, mark);
}

void value_add_sizes(struct value_whole *whole, const char *key,
		     struct object *tuple)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);
	pyssize count = py.PyTuple_Size(tuple);

	json_key(w, key);
	json_array_begin(w);
	for (pyssize i = 0; i < count; i++)
		json_int(w, py.PyLong_AsLong(py.PyTuple_GetItem(tuple, i)));
	json_array_end(w);
	py.PyErr_Clear();
	value_settle(whole, mark);
}

bool value_open_inner(struct value_whole *whole, const char *key, bool object)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	json_key(w, key);
	if (object)
		json_object_begin(w);
	else
		json_array_begin(w);
	if (!w->full && json_room(w) > 0) {
		w->end -= 1;
		return true;
	}
	w->full = true;
	value_settle(whole, mark);
	return false;
}

void value_close_inner(struct value_whole *whole, bool object)
{
	struct json_writer *w = whole->walk->w;

	w->end += 1;
	if (object)
		json_object_end(w);
	else
		json_array_end(w);
}

void value_add_sequence(struct value_whole *whole, struct object *object,
			size_t length,
			struct object *(*item)(struct object *, pyssize))
{
	struct json_writer *w = whole->walk->w;
	size_t count = 0;

	if (!value_open_inner(whole, "$items", false))
		return;
	for (; count < length && count < whole->walk->items; count++) {
		struct json_mark mark = json_mark(w);
		struct object *value = item(object, (pyssize)count);

		if (!value)
			break;
		value_any(whole->walk, value);
		py_drop(value);
		if (w->full) {
			json_rewind(w, mark);
			break;
		}
	}
	py.PyErr_Clear();
	value_close_inner(whole, false);
	if (count < length) {
		whole->cut = true;
		whole->length = length;
	}
}

static void add_entries(struct value_whole *whole, struct object *dict)
{
	struct value_walk *walk = whole->walk;
	struct ordered *ordered = ordered_take(dict, value_worth(walk, dict));
	bool plain = value_dict_is_plain(walk, dict, ordered);

	if (value_open_inner(whole, plain ? "$items" : "$pairs", plain)) {
		if (!value_fill_dict(walk, dict, ordered, plain)) {
			whole->cut = true;
			whole->length = value_length(dict);
		}
		value_close_inner(whole, plain);
	}
	ordered_free(ordered);
}

void value_add_content(struct value_whole *whole, struct object *object)
{
	if (value_is_dict(object)) {
		add_entries(whole, object);
		return;
	}
	if (!value_open_inner(whole, "$items", false))
		return;
	if (!value_fill_items(whole->walk, object)) {
		whole->cut = true;
		whole->length = value_length(object);
	}
	value_close_inner(whole, false);
}

/* `"name":` of an attribute */
static void add_key(struct value_walk *walk, const struct attribute *attribute)
{
	struct json_writer *w = walk->w;

	if (attribute->slot) {
		json_string(w, attribute->slot);
	} else {
		json_string_begin(w);
		value_characters(w, attribute->key, SIZE_MAX);
		json_string_end(w);
	}
	value_append(w, ":", 1);
	w->comma = false;
}

static bool hides(const struct value_walk *walk,
		  const struct attribute *attribute)
{
	if (!attribute->slot)
		return value_key_hides(walk, attribute->key, attribute->value);
	return value_hides(walk, attribute->slot, text_length(attribute->slot),
			   attribute->value);
}

/* Writes one attribute; false when there is no room. */
static bool add_attribute(struct value_walk *walk,
			  const struct attribute *attribute)
{
	struct json_writer *w = walk->w;
	struct json_mark mark = json_mark(w);

	add_key(walk, attribute);
	if (hides(walk, attribute))
		value_redacted(w, attribute->value, "name");
	else
		value_any(walk, attribute->value);
	if (!w->full)
		return true;
	json_rewind(w, mark);
	return false;
}

static bool is_named(const struct attribute *attribute, const char *name)
{
	if (!name)
		return false;
	if (attribute->slot)
		return text_equal(attribute->slot, name);
	return py_is_str(attribute->key) &&
	       !py.PyUnicode_CompareWithASCIIString(attribute->key, name);
}

void value_add_attributes(struct value_whole *whole, struct object *object,
			  const char *omit)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);
	struct attribute attribute;
	struct attributes walk;
	uint32_t count = 0;
	bool cut = false;

	if (!value_open_inner(whole, "$attrs", true))
		return;
	attributes_begin(&walk, object);
	while (!cut && attributes_next(&walk, &attribute)) {
		if (is_named(&attribute, omit))
			continue;
		/* One that JSON has no name for is left out. */
		if (!attribute.slot &&
		    !value_is_member_name(whole->walk, attribute.key))
			whole->cut = true;
		else if (count == whole->walk->items)
			cut = true;
		else if (add_attribute(whole->walk, &attribute))
			count++;
		else
			cut = true;
	}
	value_close_inner(whole, true);
	whole->cut |= cut;
	if (!count)
		json_rewind(w, mark);
}

void value_add_fields(struct value_whole *whole, struct object *tuple,
		      struct object *names)
{
	pyssize count = py.PyTuple_Size(tuple), i = 0;
	bool fits = true;

	if (!value_open_inner(whole, "$attrs", true))
		return;
	for (; fits && i < count && (size_t)i < whole->walk->items; i++) {
		struct attribute field = {
			.key = py.PyTuple_GetItem(names, i),
			.value = py.PyTuple_GetItem(tuple, i),
		};

		fits = add_attribute(whole->walk, &field);
	}
	value_close_inner(whole, true);
	if (!fits || i < count) {
		whole->cut = true;
		whole->length = (size_t)count;
	}
}
