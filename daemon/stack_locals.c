/* SPDX-License-Identifier: MIT */
/*
 * stack_locals: local variables that were read from memory, in the form that
 * captures give them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/stack_record.h"
#include "proto/redact.h"

static void put_value(struct json_writer *w, const struct redaction *redaction,
		      const struct stack_value *value);

/* A member whose name comes from the target: it may need escapes. */
static void put_key(struct json_writer *w, const char *name, size_t size)
{
	json_string_n(w, name, size);
	w->comma = false;
	json_raw(w, ":", 1);
	w->comma = false;
}

static void put_type(struct json_writer *w, const char *type)
{
	json_key(w, "$type");
	json_string(w, type ? type : "?");
}

static void put_cut(struct json_writer *w, const struct stack_value *value)
{
	if (!value->truncated)
		return;
	json_key(w, "$truncated");
	json_bool(w, true);
	json_key(w, "$len");
	json_uint(w, value->length);
}

static void put_text(struct json_writer *w, const struct stack_value *value)
{
	if (!value->truncated) {
		json_string_n(w, value->text, value->text_size);
		return;
	}
	json_object_begin(w);
	put_type(w, "str");
	json_key(w, "$value");
	json_string_n(w, value->text, value->text_size);
	put_cut(w, value);
	json_object_end(w);
}

static void put_bytes(struct json_writer *w, const struct stack_value *value)
{
	json_object_begin(w);
	put_type(w, value->type);
	json_key(w, "$base64");
	json_base64(w, value->text, value->text_size);
	put_cut(w, value);
	json_object_end(w);
}

/* JSON has no infinity and no NaN. */
static void put_float(struct json_writer *w, double number)
{
	char text[40];

	if (isfinite(number)) {
		/* The shortest that reads back as the same, as repr(). */
		for (int digits = 15; digits <= 17; digits++) {
			snprintf(text, sizeof(text), "%.*g", digits, number);
			if (strtod(text, NULL) == number)
				break;
		}
		/* A float that is whole stays a float. */
		if (!strpbrk(text, ".e"))
			strncat(text, ".0", sizeof(text) - strlen(text) - 1);
		json_raw(w, text, strlen(text));
		return;
	}
	json_object_begin(w);
	put_type(w, "float");
	json_key(w, "$repr");
	json_string(w, isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
	json_object_end(w);
}

static void put_big(struct json_writer *w, const struct stack_value *value)
{
	json_object_begin(w);
	put_type(w, "int");
	if (value->text) {
		json_key(w, "$repr");
		json_string_n(w, value->text, value->text_size);
		put_cut(w, value);
	} else {
		json_key(w, "$bits");
		json_uint(w, value->length);
		json_key(w, "$truncated");
		json_bool(w, true);
	}
	json_object_end(w);
}

static void put_named(struct json_writer *w, const struct redaction *redaction,
		      const char *name, size_t length,
		      const struct stack_value *value);

/* Is the item behind this one named by it? In a pair (a header), and behind
 * what looks like an option of a command. As in a capture. */
static bool names_next(const struct stack_value *whole,
		       const struct stack_value *item)
{
	if (whole->type && strstr(whole->type, "set"))
		return false;
	if (item->kind == STACK_VALUE_BYTES)
		return whole->count == 2 && !whole->truncated;
	return item->kind == STACK_VALUE_STR && item->text_size > 0 &&
	       ((whole->count == 2 && !whole->truncated) ||
		item->text[0] == '-');
}

static void put_array(struct json_writer *w, const struct redaction *redaction,
		      const struct stack_value *value)
{
	const struct stack_value *before = NULL;

	json_array_begin(w);
	for (size_t i = 0; i < value->count; i++) {
		const struct stack_value *item = &value->items[i];

		if (before && names_next(value, before))
			put_named(w, redaction, before->text, before->text_size,
				  item);
		else
			put_value(w, redaction, item);
		before = item;
	}
	json_array_end(w);
}

static void put_items(struct json_writer *w, const struct redaction *redaction,
		      const struct stack_value *value)
{
	if (!value->truncated && value->type && !strcmp(value->type, "list")) {
		put_array(w, redaction, value);
		return;
	}
	json_object_begin(w);
	put_type(w, value->type);
	/* Cut at the depth limit nothing but its length is told. */
	if (value->items) {
		json_key(w, "$items");
		put_array(w, redaction, value);
	}
	put_cut(w, value);
	json_object_end(w);
}

/* Only names that cannot be taken for marks of ours stay plain. */
static bool keys_are_plain(const struct redaction *redaction,
			   const struct stack_value *value)
{
	for (size_t i = 0; i + 1 < value->count; i += 2) {
		const struct stack_value *key = &value->items[i];

		if (key->kind != STACK_VALUE_STR || key->truncated ||
		    (key->text_size && key->text[0] == '$'))
			return false;
		/* Shown as a value, it is withheld as one. */
		if (redaction->strict &&
		    redact_text(redaction, key->text, key->text_size, false))
			return false;
	}
	return true;
}

/* 3.15: shown with its type. */
static bool is_frozen(const struct stack_value *value)
{
	return value->type && !strcmp(value->type, "frozendict");
}

static const char *kind_name(const struct stack_value *value)
{
	switch (value->kind) {
	case STACK_VALUE_INT:
	case STACK_VALUE_BIG_INT:
		return "int";
	case STACK_VALUE_FLOAT:
		return "float";
	case STACK_VALUE_STR:
		return "str";
	case STACK_VALUE_DICT:
		return is_frozen(value) ? value->type : "dict";
	default:
		return value->type ? value->type : "object";
	}
}

static void put_withheld(struct json_writer *w, const struct stack_value *value,
			 const char *reason)
{
	json_object_begin(w);
	put_type(w, kind_name(value));
	json_key(w, "$redacted");
	json_string(w, reason);
	json_object_end(w);
}

/* A value that goes by a name: withheld by the same table and lists of names
 * as in a capture. None, True and False give nothing away. */
static void put_named(struct json_writer *w, const struct redaction *redaction,
		      const char *name, size_t length,
		      const struct stack_value *value)
{
	if (value->kind == STACK_VALUE_NONE ||
	    value->kind == STACK_VALUE_BOOL ||
	    !redact_name(redaction, name, length, redact_known(name, length))) {
		put_value(w, redaction, value);
		return;
	}
	put_withheld(w, value, "name");
}

static void put_members(struct json_writer *w,
			const struct redaction *redaction,
			const struct stack_value *value)
{
	json_object_begin(w);
	for (size_t i = 0; i + 1 < value->count; i += 2) {
		const struct stack_value *key = &value->items[i];

		put_key(w, key->text, key->text_size);
		put_named(w, redaction, key->text, key->text_size,
			  &value->items[i + 1]);
	}
	json_object_end(w);
}

static void put_entries(struct json_writer *w,
			const struct redaction *redaction,
			const struct stack_value *value)
{
	bool plain = keys_are_plain(redaction, value);

	if (plain && value->items) {
		json_key(w, "$items");
		put_members(w, redaction, value);
	} else if (value->items) {
		json_key(w, "$pairs");
		json_array_begin(w);
		for (size_t i = 0; i + 1 < value->count; i += 2) {
			const struct stack_value *key = &value->items[i];

			json_array_begin(w);
			put_value(w, redaction, key);
			put_named(w, redaction, key->text ? key->text : "",
				  key->text ? key->text_size : 0,
				  &value->items[i + 1]);
			json_array_end(w);
		}
		json_array_end(w);
	}
}

static void put_dict(struct json_writer *w, const struct redaction *redaction,
		     const struct stack_value *value)
{
	if (!is_frozen(value) && keys_are_plain(redaction, value) &&
	    !value->truncated) {
		put_members(w, redaction, value);
		return;
	}
	json_object_begin(w);
	put_type(w, kind_name(value));
	put_entries(w, redaction, value);
	put_cut(w, value);
	json_object_end(w);
}

/* What is inside of a container, without its brackets' type. */
static void put_bare(struct json_writer *w, const struct redaction *redaction,
		     const struct stack_value *value)
{
	if (value->kind == STACK_VALUE_ITEMS) {
		json_key(w, "$items");
		put_array(w, redaction, value);
	} else if (value->kind == STACK_VALUE_DICT && value->items) {
		put_entries(w, redaction, value);
	} else if (value->kind != STACK_VALUE_DICT) {
		json_key(w, "$value");
		put_value(w, redaction, value);
		return;
	}
	put_cut(w, value);
}

static void put_parts(struct json_writer *w, const struct redaction *redaction,
		      const struct stack_value *value)
{
	for (size_t i = 0; i < value->part_count; i++) {
		const struct stack_part *part = &value->parts[i];

		if (part->bare && strcmp(part->key, "$attrs") != 0) {
			put_bare(w, redaction, part->value);
			continue;
		}
		json_key(w, part->key);
		if (!part->members) {
			put_value(w, redaction, part->value);
			continue;
		}
		put_members(w, redaction, part->value);
		if (part->value->truncated) {
			json_key(w, "$truncated");
			json_bool(w, true);
		}
	}
}

static void put_object(struct json_writer *w, const struct redaction *redaction,
		       const struct stack_value *value)
{
	json_object_begin(w);
	if (value->kind == STACK_VALUE_REF) {
		json_key(w, "$ref");
	} else {
		put_type(w, value->type);
		if (value->nameless) {
			put_parts(w, redaction, value);
			json_object_end(w);
			return;
		}
		json_key(w, "$id");
	}
	json_hex(w, value->address);
	put_parts(w, redaction, value);
	if (value->truncated) {
		json_key(w, "$truncated");
		json_bool(w, true);
	}
	json_object_end(w);
}

/* Strict mode: takes a text or number back that looks like a secret. */
static void put_scalar(struct json_writer *w, const struct redaction *redaction,
		       const struct stack_value *value)
{
	struct json_mark mark = json_mark(w);
	const char *text, *reason;
	size_t size;

	if (value->kind == STACK_VALUE_INT)
		json_int(w, value->integer);
	else if (value->kind == STACK_VALUE_BIG_INT)
		put_big(w, value);
	else if (value->kind == STACK_VALUE_FLOAT)
		put_float(w, value->number);
	else if (value->kind == STACK_VALUE_STR)
		put_text(w, value);
	else
		put_bytes(w, value);
	if (!redaction->strict || w->full)
		return;
	/* Of bytes the record has another form. */
	text = value->kind == STACK_VALUE_BYTES ? value->text : mark.next;
	size = value->kind == STACK_VALUE_BYTES ? value->text_size
						: (size_t)(w->next - mark.next);
	reason = redact_text(redaction, text, size, value->truncated);
	if (!reason)
		return;
	json_rewind(w, mark);
	put_withheld(w, value, reason);
}

static void put_value(struct json_writer *w, const struct redaction *redaction,
		      const struct stack_value *value)
{
	if (value->kind == STACK_VALUE_NONE) {
		json_null(w);
		return;
	}
	if (value->kind == STACK_VALUE_BOOL) {
		json_bool(w, value->integer != 0);
		return;
	}
	if (redact_has_types(redaction) &&
	    redact_type(redaction, kind_name(value))) {
		put_withheld(w, value, "type");
		return;
	}
	switch (value->kind) {
	case STACK_VALUE_ITEMS:
		put_items(w, redaction, value);
		break;
	case STACK_VALUE_DICT:
		put_dict(w, redaction, value);
		break;
	case STACK_VALUE_OBJECT:
	case STACK_VALUE_REF:
	case STACK_VALUE_UNREADABLE:
		put_object(w, redaction, value);
		break;
	default:
		put_scalar(w, redaction, value);
	}
}

void stack_locals_render(struct json_writer *w,
			 const struct redaction *redaction,
			 const struct stack_frame *frame)
{
	if (!frame->locals)
		return;
	json_key(w, "locals");
	json_object_begin(w);
	for (size_t i = 0; i < frame->local_count && !w->full; i++) {
		const char *name = frame->locals[i].name;

		put_key(w, name, strlen(name));
		put_named(w, redaction, name, strlen(name),
			  frame->locals[i].value);
	}
	json_object_end(w);
}
