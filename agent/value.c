/* SPDX-License-Identifier: MIT */
#include "agent/value.h"

#include "agent/sys.h"
#include "agent/value_walk.h"

void value_append(struct json_writer *w, const char *text, size_t length)
{
	w->comma = false;
	json_raw(w, text, length);
}

static void append_text(struct json_writer *w, const char *text)
{
	value_append(w, text, text_length(text));
}

unsigned value_cuts;

void value_truncated(struct json_writer *w)
{
	value_cuts++;
	json_key(w, "$truncated");
	json_bool(w, true);
}

void value_short(struct json_writer *w, const char *name, size_t length)
{
	json_object_begin(w);
	json_key(w, "$type");
	json_string(w, name);
	value_truncated(w);
	json_key(w, "$len");
	json_uint(w, length);
	json_object_end(w);
}

bool value_open(struct json_writer *w, struct value_part *part,
		const struct value_form *form, bool typed, size_t length)
{
	const char *begin;

	part->form = form;
	part->mark = json_mark(w);
	part->typed = typed || !form->plain;
	if (w->full || json_room(w) < VALUE_RESERVE) {
		w->full = true;
		return false;
	}
	begin = part->typed ? form->typed : form->plain;
	w->end -= VALUE_RESERVE;
	json_raw(w, begin, text_length(begin));
	w->comma = false;
	if (!w->full)
		return true;
	w->end += VALUE_RESERVE;
	json_rewind(w, part->mark);
	value_short(w, form->name, length);
	return false;
}

/* Turns the plain beginning of a part that has to be cut into the typed one;
 * the room for it was set aside. */
static void make_typed(struct json_writer *w, const struct value_part *part)
{
	char *at = part->mark.next + (part->mark.comma ? 1 : 0);
	size_t typed = text_length(part->form->typed);
	size_t grow = typed - 1;

	memmove(at + grow, at, (size_t)(w->next - at));
	memcpy(at, part->form->typed, typed);
	w->next += grow;
}

void value_close(struct json_writer *w, const struct value_part *part, bool cut,
		 size_t length)
{
	bool typed = part->typed || cut;

	w->end += VALUE_RESERVE;
	if (typed && !part->typed)
		make_typed(w, part);
	if (part->form->close)
		value_append(w, &part->form->close, 1);
	if (cut) {
		value_cuts++;
		append_text(w, ",\"$truncated\":true,\"$len\":");
		w->comma = false;
		json_uint(w, length);
	}
	if (typed)
		append_text(w, "}");
	w->comma = true;
}

bool value_in_cycle(struct value_walk *walk, const struct object *object)
{
	for (int i = 0; i < walk->path_length; i++) {
		if (walk->path[i] != object)
			continue;
		json_object_begin(walk->w);
		json_key(walk->w, "$ref");
		json_hex(walk->w, (uintptr_t)object);
		json_object_end(walk->w);
		return true;
	}
	return false;
}

bool value_too_nested(const struct value_walk *walk, int levels)
{
	/* Three levels more for what may be inside: a pair, with a range of big
	 * ints in it. */
	return walk->nesting + levels + 3 > LIMIT_JSON_DEPTH;
}

bool value_too_deep(const struct value_walk *walk, int levels)
{
	return walk->path_length >= walk->depth ||
	       value_too_nested(walk, levels);
}

void value_push(struct value_walk *walk, const struct object *object,
		int levels)
{
	walk->path[walk->path_length++] = object;
	walk->nesting += levels;
}

bool value_enter(struct value_walk *walk, const struct object *object,
		 const char *name, int levels, size_t length)
{
	if (value_in_cycle(walk, object))
		return false;
	if (length && value_too_deep(walk, levels)) {
		value_short(walk->w, name, length);
		return false;
	}
	value_push(walk, object, levels);
	return true;
}

void value_leave(struct value_walk *walk, int levels)
{
	walk->path_length--;
	walk->nesting -= levels;
}

static void value_ellipsis(struct json_writer *w)
{
	static const char text[] = "{\"$type\":\"ellipsis\"}";

	json_raw(w, text, sizeof text - 1);
}

/* The singletons, known by identity. */
static bool singleton(struct json_writer *w, const struct object *object)
{
	if (!object || object == py._Py_NoneStruct)
		json_null(w);
	else if (object == py._Py_TrueStruct)
		json_bool(w, true);
	else if (object == py._Py_FalseStruct)
		json_bool(w, false);
	else if (object == py._Py_EllipsisObject)
		value_ellipsis(w);
	else
		return false;
	return true;
}

void value_any(struct value_walk *walk, struct object *object)
{
	const struct object *type;

	if (singleton(walk->w, object))
		return;
	type = object->type;
	if (walk->types && value_type_hidden(walk, object))
		return;
	if (type == py.PyUnicode_Type)
		value_str(walk, object);
	else if (type == py.PyLong_Type)
		value_int(walk, object);
	else if (type == py.PyFloat_Type)
		value_float(walk, object);
	else if (type == py.PyDict_Type)
		value_dict(walk, object);
	else if (type == py.PyList_Type)
		value_list(walk, object);
	else if (type == py.PyTuple_Type)
		value_tuple(walk, object);
	else if (type == py.PyBytes_Type)
		value_bytes(walk, object);
	else if (type == py.PySet_Type)
		value_set(walk, object);
	else if (type == py.PyFrozenSet_Type)
		value_frozenset(walk, object);
	else if (type == py.PyByteArray_Type)
		value_bytearray(walk, object);
	else if (type == py.PyComplex_Type)
		value_complex(walk, object);
	else if (type == py.PyRange_Type)
		value_range(walk, object);
	else if (type == py.PySlice_Type)
		value_slice(walk, object);
	else
		value_other(walk, object);
}

/* Of the next walk. */
static const struct repr *next_repr;
static struct object *next_traceback;

void value_next_repr(const struct repr *repr)
{
	next_repr = repr;
}

void value_next_traceback(struct object *traceback)
{
	next_traceback = traceback;
}

static void start(struct value_walk *walk, struct json_writer *w,
		  const struct probe_limits *limits)
{
	uint32_t depth = limits->depth;

	walk->w = w;
	walk->repr = next_repr;
	walk->limits = limits;
	walk->traceback = next_traceback;
	next_traceback = NULL;
	next_repr = NULL;
	walk->redaction = &limits->redaction;
	walk->types = redact_has_types(&limits->redaction);
	walk->arrays = limits->arrays != 0;
	walk->items = limits->items ? limits->items : UINT32_MAX;
	walk->string = limits->string ? limits->string : UINT32_MAX;
	walk->depth = depth && depth < LIMIT_DEPTH ? (int)depth : LIMIT_DEPTH;
	walk->nesting = VALUE_NESTING;
	walk->path_length = 0;
}

void value_write(struct json_writer *w, struct object *object,
		 const struct probe_limits *limits)
{
	struct value_walk walk;

	start(&walk, w, limits);
	value_any(&walk, object);
}

/* None, bool and int, which are half of all values and need no walk. */
static bool is_said_at_once(struct json_writer *w, struct object *object,
			    const struct probe_limits *limits)
{
	static const int64_t exact = (int64_t)1 << 53;
	int overflow = 0;
	int64_t value;

	if (limits->redaction.strict || redact_has_types(&limits->redaction))
		return false;
	if (!object || !py_is(object, py.PyLong_Type))
		return singleton(w, object);
	value = py.PyLong_AsLongLongAndOverflow(object, &overflow);
	if (overflow || value < -exact || value > exact)
		return false;
	json_int(w, value);
	return true;
}

void value_write_named(struct json_writer *w, const char *name, size_t length,
		       bool known, struct object *object,
		       const struct probe_limits *limits)
{
	struct value_walk walk;

	if (value_is_secret(object) &&
	    redact_name(&limits->redaction, name, length, known)) {
		value_redacted(w, object, "name");
		next_repr = NULL;
		return;
	}
	if (is_said_at_once(w, object, limits)) {
		next_repr = NULL;
		return;
	}
	start(&walk, w, limits);
	value_any(&walk, object);
}
