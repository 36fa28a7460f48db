/* SPDX-License-Identifier: MIT */
#include "clients/cli/value.h"

#include <inttypes.h>
#include <string.h>

#include "proto/limits.h"

static void render(struct text *text, struct view value, unsigned depth);

void value_render_plain(struct text *text, struct view string)
{
	struct view_chars chars = view_chars(string);
	uint32_t c;

	while (view_char(&chars, &c))
		text_add_char(text, c, 0);
}

static void render_string(struct text *text, struct view string)
{
	struct view_chars chars = view_chars(string);
	uint32_t c;

	text_add(text, "'");
	while (view_char(&chars, &c))
		text_add_char(text, c, '\'');
	text_add(text, "'");
}

static int base64_digit(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (int)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (int)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (int)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* b'..': bytes above 0x7e are escaped, as Python does. */
static void render_bytes(struct text *text, struct view base64)
{
	struct view_chars chars = view_chars(base64);
	uint32_t bits = 0;
	unsigned count = 0;
	uint32_t c;

	text_add(text, "b'");
	while (view_char(&chars, &c)) {
		int digit = base64_digit(c);

		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		c = bits >> count & 0xff;
		if (c < 0x7f)
			text_add_char(text, c, '\'');
		else
			text_addf(text, "\\x%02x", c);
	}
	text_add(text, "'");
}

/* Elements with commas; a lone one of a tuple keeps its comma. */
static void render_items(struct text *text, struct view items, bool cut,
			 bool tuple, unsigned depth)
{
	struct view_walk walk = view_walk(items);
	struct view key;
	struct view item;
	size_t count = 0;

	while (view_next(&walk, &key, &item)) {
		if (count++ > 0)
			text_add(text, ", ");
		render(text, item, depth);
	}
	if (cut)
		text_add(text, count ? ", ..." : "...");
	else if (tuple && count == 1)
		text_add(text, ",");
}

/* [[key, value], ..] */
static void render_pairs(struct text *text, struct view pairs, bool cut,
			 unsigned depth)
{
	struct view_walk walk = view_walk(pairs);
	struct view none;
	struct view pair;
	bool first = true;

	text_add(text, "{");
	while (view_next(&walk, &none, &pair)) {
		struct view_walk two = view_walk(pair);
		struct view side;

		if (!first)
			text_add(text, ", ");
		first = false;
		if (view_next(&two, &none, &side))
			render(text, side, depth);
		text_add(text, ": ");
		if (view_next(&two, &none, &side))
			render(text, side, depth);
	}
	if (cut)
		text_add(text, first ? "..." : ", ...");
	text_add(text, "}");
}

static void render_dict(struct text *text, struct view dict, bool cut,
			unsigned depth)
{
	struct view_walk walk = view_walk(dict);
	struct view key;
	struct view value;
	bool first = true;

	text_add(text, "{");
	while (view_next(&walk, &key, &value)) {
		if (!first)
			text_add(text, ", ");
		first = false;
		render_string(text, key);
		text_add(text, ": ");
		render(text, value, depth);
	}
	if (cut)
		text_add(text, first ? "..." : ", ...");
	text_add(text, "}");
}

static const struct brackets {
	const char *type;
	const char *open;
	const char *close;
	const char *empty;
} brackets[] = {
	{ "list", "[", "]", "[]" },
	{ "tuple", "(", ")", "()" },
	{ "set", "{", "}", "set()" },
	{ "frozenset", "frozenset({", "})", "frozenset()" },
};

static const struct brackets *brackets_of(struct view type)
{
	for (size_t i = 0; i < sizeof(brackets) / sizeof(brackets[0]); i++)
		if (view_is(type, brackets[i].type))
			return &brackets[i];
	return NULL;
}

/* items: absent where the value lies below the depth limit. */
static void render_container(struct text *text, struct view type,
			     struct view items, bool cut, unsigned depth)
{
	const struct brackets *b = brackets_of(type);

	if (!b) {
		value_render_plain(text, type);
		text_add(text, "(");
		render_items(text, items, cut, false, depth);
		text_add(text, ")");
		return;
	}
	if (!cut && view_count(items) == 0) {
		text_add(text, b->empty);
		return;
	}
	text_add(text, b->open);
	render_items(text, items, cut, view_is(type, "tuple"), depth);
	text_add(text, b->close);
}

/* range(0, 9, 1), slice(None, 3, None) */
static void render_range(struct text *text, struct view object,
			 struct view type, unsigned depth)
{
	value_render_plain(text, type);
	text_add(text, "(");
	render(text, view_member(object, "$start"), depth);
	text_add(text, ", ");
	render(text, view_member(object, "$stop"), depth);
	text_add(text, ", ");
	render(text, view_member(object, "$step"), depth);
	text_add(text, ")");
}

/* <app.User 0x7f.. name='x'>: what has no form of its own. */
static void render_object(struct text *text, struct view object,
			  struct view type, unsigned depth)
{
	struct view_walk walk = view_walk(object);
	struct view attributes = view_member(object, "$attrs");
	struct view key;
	struct view value;

	text_add(text, "<");
	value_render_plain(text, type);
	if (view_kind(attributes) == VIEW_OBJECT)
		walk = view_walk(attributes);
	while (view_next(&walk, &key, &value)) {
		if (view_is(key, "$type") || view_is(key, "$len"))
			continue;
		text_add(text, " ");
		if (view_is(key, "$id")) {
			value_render_plain(text, value);
			continue;
		}
		if (view_is(key, "$truncated")) {
			text_add(text, "...");
			continue;
		}
		value_render_plain(text, key);
		text_add(text, "=");
		render(text, value, depth);
	}
	text_add(text, ">");
}

/* Bytes and what is like them: bytearray(b'..'). */
static void render_binary(struct text *text, struct view type,
			  struct view base64, bool cut)
{
	bool bytes = view_is(type, "bytes");

	if (!bytes) {
		value_render_plain(text, type);
		text_add(text, "(");
	}
	render_bytes(text, base64);
	if (cut)
		text_add(text, "...");
	if (!bytes)
		text_add(text, ")");
}

/* What a typed object carries: at most one of these. */
static struct view content_of(struct view object, const char **ret_name)
{
	static const char *const names[] = { "$redacted", "$repr",   "$items",
					     "$pairs",	  "$base64", "$value",
					     "$start",	  "$bits",   "$iso",
					     "$attrs" };
	struct view part = { "", 0 };

	*ret_name = "";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		part = view_member(object, names[i]);
		if (part.length == 0)
			continue;
		*ret_name = names[i];
		break;
	}
	return part;
}

/* Nothing but its type, and that it was cut, or an object of some class. */
static void render_bare(struct text *text, struct view object, struct view type,
			bool cut, unsigned depth)
{
	static const struct view none = { "", 0 };

	if (cut && view_is(type, "dict"))
		render_dict(text, none, cut, depth);
	else if (cut && brackets_of(type))
		render_container(text, type, none, cut, depth);
	else if (view_is(type, "ellipsis"))
		text_add(text, "Ellipsis");
	else
		render_object(text, object, type, depth);
}

/* What a class made of a built-in type holds: Names({..}), Color(1). */
static void render_made(struct text *text, struct view type, struct view part,
			const char *name, bool cut, unsigned depth)
{
	value_render_plain(text, type);
	text_add(text, "(");
	if (strcmp(name, "$pairs") == 0)
		render_pairs(text, part, cut, depth);
	else if (strcmp(name, "$items") == 0)
		render_dict(text, part, cut, depth);
	else if (strcmp(name, "$iso") == 0)
		value_render_plain(text, part);
	else
		render(text, part, depth);
	text_add(text, ")");
}

/* An object with $type; see agent/value.h for the forms. */
static void render_typed(struct text *text, struct view object,
			 struct view type, unsigned depth)
{
	bool cut = view_true(view_member(object, "$truncated"));
	const char *name;
	struct view part = content_of(object, &name);
	bool dict =
		strcmp(name, "$pairs") == 0 ||
		(strcmp(name, "$items") == 0 && view_kind(part) == VIEW_OBJECT);

	if ((dict && !view_is(type, "dict")) || strcmp(name, "$iso") == 0 ||
	    (strcmp(name, "$value") == 0 && !view_is(type, "str"))) {
		render_made(text, type, part, name, cut, depth);
	} else if (strcmp(name, "$redacted") == 0) {
		text_add(text, "<redacted>");
	} else if (strcmp(name, "$repr") == 0) {
		value_render_plain(text, part);
		text_add(text, cut ? "..." : "");
	} else if (strcmp(name, "$items") == 0) {
		if (view_kind(part) == VIEW_OBJECT)
			render_dict(text, part, cut, depth);
		else
			render_container(text, type, part, cut, depth);
	} else if (strcmp(name, "$pairs") == 0) {
		render_pairs(text, part, cut, depth);
	} else if (strcmp(name, "$base64") == 0) {
		render_binary(text, type, part, cut);
	} else if (strcmp(name, "$value") == 0) {
		render(text, part, depth);
		text_add(text, cut ? "..." : "");
	} else if (strcmp(name, "$start") == 0) {
		render_range(text, object, type, depth);
	} else if (strcmp(name, "$bits") == 0) {
		value_render_plain(text, type);
		text_addf(text, "<%" PRId64 " bits>", view_int(part, 0));
	} else {
		render_bare(text, object, type, cut, depth);
	}
}

/* depth: levels left, so that no line can exhaust our stack. */
static void render(struct text *text, struct view value, unsigned depth)
{
	struct view type;
	struct view part;

	switch (depth > 0 ? view_kind(value) : VIEW_NONE) {
	case VIEW_STRING:
		render_string(text, value);
		break;
	case VIEW_NUMBER:
		text_add_foreign_n(text, value.text, value.length);
		break;
	case VIEW_BOOL:
		text_add(text, view_true(value) ? "True" : "False");
		break;
	case VIEW_NULL:
		text_add(text, "None");
		break;
	case VIEW_ARRAY:
		text_add(text, "[");
		render_items(text, value, false, false, depth - 1);
		text_add(text, "]");
		break;
	case VIEW_OBJECT:
		type = view_member(value, "$type");
		part = view_member(value, "$ref");
		if (view_kind(type) == VIEW_STRING) {
			render_typed(text, value, type, depth - 1);
		} else if (view_kind(part) == VIEW_STRING) {
			text_add(text, "<cycle ");
			value_render_plain(text, part);
			text_add(text, ">");
		} else {
			render_dict(text, value, false, depth - 1);
		}
		break;
	case VIEW_NONE:
		text_add(text, "...");
		break;
	}
}

void value_render(struct text *text, struct view value)
{
	render(text, value, LIMIT_JSON_DEPTH);
}
