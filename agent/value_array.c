/* SPDX-License-Identifier: MIT */
#include "agent/array.h"
#include "agent/array_fields.h"
#include "agent/sys.h"
#include "agent/value_walk.h"

enum {
	UCS4 = 4,		/* PyUnicode_4BYTE_KIND */
	TEXT_MOST = 256 << 10,	/* bytes of one item that is copied */
	CONTENT = LIMIT_RECORD, /* bytes, more than a record can show */
};

static const int64_t card_least = 1000000000000;

/* A new str or bytes, by the functions for these; drops it. */
static void write_object(struct value_walk *walk, struct object *made,
			 void (*write)(struct value_walk *, struct object *))
{
	if (made) {
		write(walk, made);
		py_drop(made);
		return;
	}
	py.PyErr_Clear();
	json_null(walk->w);
}

static void write_text(struct value_walk *walk, const struct element *element,
		       const char *at)
{
	int64_t count = element->size / UCS4;
	struct element unit = { 'u', element->swap, UCS4 };
	uint32_t few[64], *text = few;
	struct number number;

	/* Text of a fixed width ends at its last character that is not NUL. */
	while (count) {
		array_number(&unit, at + UCS4 * (count - 1), &number);
		if (number.integer)
			break;
		count--;
	}
	if (count > (int64_t)(sizeof few / sizeof *few) || !element->swap)
		text = NULL;
	for (int64_t i = 0; text && i < count; i++) {
		array_number(&unit, at + UCS4 * i, &number);
		text[i] = (uint32_t)number.integer;
	}
	write_object(walk,
		     py.PyUnicode_FromKindAndData(
			     UCS4, text ? (const void *)text : at, count),
		     value_str);
}

static void write_bytes(struct value_walk *walk, const struct element *element,
			const char *at)
{
	int64_t size = element->size;

	while (element->kind == 'S' && size && !at[size - 1])
		size--;
	write_object(walk, py.PyBytes_FromStringAndSize(at, size), value_bytes);
}

static void write_integer(struct value_walk *walk, struct object *object,
			  const struct element *element,
			  const struct number *number)
{
	struct json_mark mark = json_mark(walk->w);
	int64_t value = number->integer;

	if (element->kind == 'b') {
		json_bool(walk->w, value != 0);
		return;
	}
	if (value == INT64_MIN &&
	    (element->kind == 'M' || element->kind == 'm')) {
		json_null(walk->w);
		return;
	}
	value_integer(walk->w, value, number->kind == NUMBER_INT);
	if (walk->redaction->strict && value >= card_least)
		value_strict(walk, mark, object, false);
}

void value_element(struct value_walk *walk, struct object *object,
		   const struct element *element, const char *at)
{
	struct object *item = NULL;
	struct number number;

	array_number(element, at, &number);
	if (number.kind == NUMBER_REAL && element->kind == 'c') {
		value_double_complex(walk->w, number.real, number.imaginary);
	} else if (number.kind == NUMBER_REAL) {
		value_double(walk->w, number.real);
	} else if (number.kind != NUMBER_NONE) {
		write_integer(walk, object, element, &number);
	} else if (element->kind == 'O') {
		memcpy(&item, at, sizeof item);
		value_any(walk, item);
	} else if (element->size > TEXT_MOST) {
		value_short(walk->w, "bytes", (size_t)element->size);
	} else if (element->kind == 'U') {
		write_text(walk, element, at);
	} else {
		write_bytes(walk, element, at);
	}
}

void value_add_element(struct value_whole *whole, struct object *object,
		       const struct element *element, const char *at)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	json_key(w, "$value");
	value_element(whole->walk, object, element, at);
	value_settle(whole, mark);
}

/* A member that is a list of ints. */
static void add_sizes(struct value_whole *whole, const char *key,
		      const int64_t *size, int count)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	json_key(w, key);
	json_array_begin(w);
	for (int i = 0; i < count; i++)
		json_int(w, size[i]);
	json_array_end(w);
	value_settle(whole, mark);
}

static void write_name(struct json_writer *w, const char *name)
{
	json_string_begin(w);
	value_append(w, name, text_length(name));
	json_string_end(w);
}

/* "$fields":[["name","<f8",offset],..] */
static void add_fields(struct value_whole *whole,
		       const struct array_fields *fields)
{
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);

	json_key(w, "$fields");
	json_array_begin(w);
	for (int i = 0; i < fields->count; i++) {
		const struct array_field *field = &fields->field[i];

		json_array_begin(w);
		write_name(w, field->name);
		json_string(w, field->type);
		json_int(w, field->offset);
		json_array_end(w);
	}
	json_array_end(w);
	whole->cut |= fields->cut;
	value_settle(whole, mark);
}

static void add_least_and_most(struct json_writer *w, const struct array *array,
			       const struct array_stats *stats)
{
	const struct element *element = &array->element;
	bool real = stats->least.kind == NUMBER_REAL;
	bool is_signed = element->kind != 'u';

	json_key(w, "min");
	if (real)
		value_double(w, stats->least.real);
	else
		value_integer(w, stats->least.integer, is_signed);
	json_key(w, "max");
	if (real)
		value_double(w, stats->most.real);
	else
		value_integer(w, stats->most.integer, is_signed);
	if (element->kind == 'M')
		return;
	json_key(w, "mean");
	value_double(w, stats->mean);
}

/* {"min":..,"max":..,"mean":..,"nan":N}, of as many as `$sampled` says. A
 * complex number is neither less nor more than another. */
static void add_stats(struct value_whole *whole, const struct array *array)
{
	const struct value_walk *walk = whole->walk;
	struct json_writer *w = walk->w;
	struct json_mark mark = json_mark(w);
	struct array_stats stats;

	if (!array_stats(array, &stats))
		return;
	json_key(w, "$stats");
	json_object_begin(w);
	if (stats.numbers && array->element.kind != 'c')
		add_least_and_most(w, array, &stats);
	json_key(w, "nan");
	json_int(w, stats.nan);
	json_object_end(w);
	/* They may be an item, a secret one. */
	if (walk->redaction->strict && !w->full &&
	    redact_text(walk->redaction, mark.next,
			(size_t)(w->next - mark.next), false)) {
		json_rewind(w, mark);
		return;
	}
	if (stats.sampled < array_count(array)) {
		json_key(w, "$sampled");
		json_int(w, stats.sampled);
	}
	value_settle(whole, mark);
}

/* One item of a structured array. */
static void write_record(struct value_walk *walk, struct object *object,
			 const struct array_fields *fields, const char *at)
{
	static const char head[] = "{\"$type\":\"tuple\",\"$items\":[";
	struct json_writer *w = walk->w;

	json_raw(w, head, sizeof head - 1);
	w->comma = false;
	for (int i = 0; i < fields->count; i++) {
		const struct array_field *field = &fields->field[i];

		if (field->hidden)
			value_redacted(w, object, "name");
		else
			value_element(walk, object, &field->element,
				      at + field->offset);
	}
	value_append(w, "]}", 2);
	w->comma = true;
}

static void add_items(struct value_whole *whole, struct object *object,
		      const struct array *array,
		      const struct array_fields *fields)
{
	struct value_walk *walk = whole->walk;
	struct json_writer *w = walk->w;
	int64_t count = array_count(array), i = 0;
	struct array_walk at;

	if (!value_open_inner(whole, "$items", false))
		return;
	array_walk_begin(&at, array);
	for (; i < count && i < walk->items; i++) {
		struct json_mark mark = json_mark(w);

		if (fields)
			write_record(walk, object, fields, at.at);
		else
			value_element(walk, object, &array->element, at.at);
		if (w->full) {
			json_rewind(w, mark);
			break;
		}
		array_walk_next(&at);
	}
	value_close_inner(whole, false);
	if (i < count) {
		whole->cut = true;
		whole->length = (size_t)count;
	}
}

/* "$base64": the bytes of whole items, in the order of C. */
static void add_content(struct value_whole *whole, const struct array *array)
{
	static char content[CONTENT];
	static const size_t around = sizeof ",\"$base64\":\"\"";
	struct value_walk *walk = whole->walk;
	struct json_writer *w = walk->w;
	struct json_mark mark = json_mark(w);
	size_t room = json_room(w), used;
	int64_t count = array_count(array);
	const char *reason = NULL;

	room = room > around ? (room - around) / 4 * 3 : 0;
	used = array_copy(array, content, room < CONTENT ? room : CONTENT);
	if (walk->redaction->strict)
		reason = redact_text(walk->redaction, content, used, true);
	json_key(w, reason ? "$redacted" : "$base64");
	if (reason)
		json_string(w, reason);
	else
		json_base64(w, content, used);
	value_settle(whole, mark);
	if ((int64_t)used < count * array->element.size) {
		whole->cut = true;
		whole->length = (size_t)count;
	}
}

static bool has_hidden(const struct array_fields *fields)
{
	for (int i = 0; fields && i < fields->count; i++)
		if (fields->field[i].hidden)
			return true;
	return false;
}

void value_add_array(struct value_whole *whole, struct object *object,
		     const struct array *array,
		     const struct array_fields *fields)
{
	value_add_text(whole, "$dtype", array->type);
	if (fields)
		add_fields(whole, fields);
	add_sizes(whole, "$shape", array->shape, array->dimensions);
	add_sizes(whole, "$strides", array->strides, array->dimensions);
	if (!array->data || array_count(array) < 0)
		return;
	add_stats(whole, array);
	if (whole->walk->arrays && array->element.kind != 'O' &&
	    !has_hidden(fields))
		add_content(whole, array);
	else
		add_items(whole, object, array, fields);
}
