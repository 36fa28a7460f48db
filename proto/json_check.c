/* SPDX-License-Identifier: MIT */
#include "proto/json_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/json_plain.h"
#include "proto/limits.h"

struct checker {
	const unsigned char *start, *next, *end;
	const char *fault;
	const char *const *reserved;
};

static bool fail(struct checker *c, const char *reason)
{
	if (!c->fault)
		c->fault = reason;
	return false;
}

static void skip_blank(struct checker *c)
{
	while (c->next < c->end && (*c->next == ' ' || *c->next == '\t'))
		c->next++;
}

static bool take(struct checker *c, char byte)
{
	skip_blank(c);
	if (c->next == c->end || *c->next != (unsigned char)byte)
		return false;
	c->next++;
	return true;
}

static bool word(struct checker *c, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(c->end - c->next) < length ||
	    memcmp(c->next, text, length))
		return fail(c, "unknown word");
	c->next += length;
	return true;
}

static bool digits(struct checker *c)
{
	const unsigned char *start = c->next;

	while (c->next < c->end && *c->next >= '0' && *c->next <= '9')
		c->next++;
	return c->next > start ? true : fail(c, "a digit is missing");
}

static bool peek(const struct checker *c, char byte)
{
	return c->next < c->end && *c->next == (unsigned char)byte;
}

static bool number(struct checker *c)
{
	if (peek(c, '-'))
		c->next++;
	if (peek(c, '0')) {
		c->next++;
		if (c->next < c->end && *c->next >= '0' && *c->next <= '9')
			return fail(c, "a number starts with 0");
	} else if (!digits(c)) {
		return false;
	}
	if (peek(c, '.')) {
		c->next++;
		if (!digits(c))
			return false;
	}
	if (peek(c, 'e') || peek(c, 'E')) {
		c->next++;
		if (peek(c, '+') || peek(c, '-'))
			c->next++;
		return digits(c);
	}
	return true;
}

/* One UTF-8 sequence of two to four bytes (RFC 3629: shortest form, no
 * surrogates, at most U+10FFFF). */
static bool utf8(struct checker *c)
{
	unsigned char lead = *c->next;
	int extra = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
	unsigned char low = 0x80, high = 0xbf;

	if (lead < 0xc2 || lead > 0xf4 || c->end - c->next <= extra)
		return fail(c, "not UTF-8");
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	if (c->next[1] < low || c->next[1] > high)
		return fail(c, "not UTF-8");
	for (int i = 2; i <= extra; i++)
		if ((c->next[i] & 0xc0) != 0x80)
			return fail(c, "not UTF-8");
	c->next += 1 + extra;
	return true;
}

static int hex_value(unsigned char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The escape behind a backslash; *ret_char is its code unit. */
static bool escape(struct checker *c, unsigned *ret_char)
{
	static const char plain[] = "\"\\/bfnrt";

	if (c->next == c->end)
		return fail(c, "the text ends in an escape");
	if (*c->next != 'u') {
		if (!*c->next || !strchr(plain, *c->next))
			return fail(c, "unknown escape");
		*ret_char = *c->next++;
		return true;
	}
	c->next++;
	*ret_char = 0;
	for (int i = 0; i < 4; i++) {
		int digit = c->next < c->end ? hex_value(*c->next) : -1;

		if (digit < 0)
			return fail(c, "bad \\u escape");
		*ret_char = *ret_char << 4 | (unsigned)digit;
		c->next++;
	}
	return true;
}

/* A string. When name is given, the first size-1 characters are decoded into
 * it (non-ASCII as '?'), for comparison with reserved names. */
static bool string(struct checker *c, char *name, size_t size)
{
	size_t used = 0;

	if (!take(c, '"'))
		return fail(c, "a string is missing");
	while (c->next < c->end && *c->next != '"') {
		unsigned unit = *c->next;

		if (!name) {
			c->next += json_plain((const char *)c->next,
					      (size_t)(c->end - c->next));
			if (c->next == c->end || *c->next == '"')
				break;
			unit = *c->next;
		}

		if (unit < 0x20)
			return fail(c, "a raw control character");
		if (unit >= 0x80) {
			if (!utf8(c))
				return false;
		} else {
			c->next++;
			if (unit == '\\' && !escape(c, &unit))
				return false;
		}
		if (name && used + 1 < size)
			name[used++] = unit < 0x80 ? (char)unit : '?';
	}
	if (name)
		name[used] = '\0';
	return take(c, '"') ? true : fail(c, "a string does not end");
}

static bool is_reserved(const struct checker *c, const char *name,
			size_t length)
{
	for (const char *const *r = c->reserved; r && *r; r++)
		if ((*r)[0] == name[0] && strlen(*r) == length &&
		    !memcmp(*r, name, length))
			return true;
	return false;
}

/* A name that may be reserved. One without escapes is compared as it stands. */
static bool outer_name(struct checker *c)
{
	char name[32];
	const char *start;
	size_t length;

	skip_blank(c);
	start = (const char *)c->next + 1;
	length = c->next < c->end
			 ? json_plain(start, (size_t)(c->end - c->next) - 1)
			 : 0;
	if (peek(c, '"') && length && c->next + 1 + length < c->end &&
	    start[length] == '"') {
		c->next += length + 2;
		return is_reserved(c, start, length)
			       ? fail(c, "a reserved member")
			       : true;
	}
	if (!string(c, name, sizeof name))
		return false;
	return is_reserved(c, name, strlen(name)) ? fail(c, "a reserved member")
						  : true;
}

static bool value(struct checker *c, int depth);

static bool members(struct checker *c, int depth)
{
	if (take(c, '}'))
		return true;
	do {
		if (depth == 1 && c->reserved ? !outer_name(c)
					      : !string(c, NULL, 0))
			return false;
		if (!take(c, ':'))
			return fail(c, "a colon is missing");
		if (!value(c, depth))
			return false;
	} while (take(c, ','));
	return take(c, '}') ? true : fail(c, "an object does not end");
}

static bool items(struct checker *c, int depth)
{
	if (take(c, ']'))
		return true;
	do {
		if (!value(c, depth))
			return false;
	} while (take(c, ','));
	return take(c, ']') ? true : fail(c, "an array does not end");
}

/* Recursion is bounded by LIMIT_JSON_DEPTH. */
static bool value(struct checker *c, int depth)
{
	skip_blank(c);
	if (c->next == c->end)
		return fail(c, "a value is missing");
	switch (*c->next) {
	case '{':
	case '[':
		if (depth == LIMIT_JSON_DEPTH)
			return fail(c, "nested too deep");
		return *c->next++ == '{' ? members(c, depth + 1)
					 : items(c, depth + 1);
	case '"':
		return string(c, NULL, 0);
	case 't':
		return word(c, "true");
	case 'f':
		return word(c, "false");
	case 'n':
		return word(c, "null");
	default:
		return number(c);
	}
}

const char *json_check(const char *text, size_t length,
		       const char *const *reserved, size_t *ret_offset)
{
	struct checker c = {
		.start = (const unsigned char *)text,
		.next = (const unsigned char *)text,
		.end = (const unsigned char *)text + length,
		.reserved = reserved,
	};

	skip_blank(&c);
	if (!peek(&c, '{'))
		fail(&c, "not an object");
	else if (value(&c, 0)) {
		skip_blank(&c);
		if (c.next != c.end)
			fail(&c, "text behind the object");
	}
	if (ret_offset)
		*ret_offset = (size_t)(c.next - c.start);
	return c.fault;
}
