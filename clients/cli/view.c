/* SPDX-License-Identifier: MIT */
#include "clients/cli/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* Past the closing quote of the string at p; NULL when it is not closed. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

/* Past the word at p; at least one byte, so that a walk always moves on. */
static const char *skip_literal(const char *p, const char *end)
{
	do
		p++;
	while (p < end && !strchr(" \t\r\n,]}:\"[{", *p));
	return p;
}

/* Past the value at p, without recursion; NULL when it does not end. */
static const char *skip_value(const char *p, const char *end)
{
	size_t depth = 0;

	do {
		p = skip_space(p, end);
		if (p >= end)
			return NULL;
		if (*p == '"') {
			p = skip_string(p, end);
			if (!p)
				return NULL;
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			if (depth == 0)
				return NULL;
			depth--;
			p++;
		} else if (*p == ',' || *p == ':') {
			if (depth == 0)
				return NULL;
			p++;
		} else {
			p = skip_literal(p, end);
		}
	} while (depth > 0);
	return p;
}

static struct view span(const char *p, const char *end)
{
	const char *past;

	p = skip_space(p, end);
	past = p < end ? skip_value(p, end) : NULL;
	if (!past)
		return (struct view){ "", 0 };
	return (struct view){ p, (size_t)(past - p) };
}

struct view view_of(const char *text, size_t length)
{
	return span(text, text + length);
}

enum view_kind view_kind(struct view view)
{
	if (view.length == 0)
		return VIEW_NONE;
	switch (view.text[0]) {
	case '{':
		return VIEW_OBJECT;
	case '[':
		return VIEW_ARRAY;
	case '"':
		return VIEW_STRING;
	case 't':
	case 'f':
		return VIEW_BOOL;
	case 'n':
		return VIEW_NULL;
	case '-':
		return VIEW_NUMBER;
	default:
		return view.text[0] >= '0' && view.text[0] <= '9' ? VIEW_NUMBER
								  : VIEW_NONE;
	}
}

struct view_walk view_walk(struct view view)
{
	enum view_kind kind = view_kind(view);

	if (kind != VIEW_OBJECT && kind != VIEW_ARRAY)
		return (struct view_walk){ "", "", false };
	/* The closing bracket is left out of the span. */
	return (struct view_walk){ view.text + 1, view.text + view.length - 1,
				   kind == VIEW_OBJECT };
}

bool view_next(struct view_walk *walk, struct view *ret_key,
	       struct view *ret_value)
{
	struct view key = { "", 0 };
	struct view value;
	const char *p = skip_space(walk->next, walk->end);

	if (p < walk->end && *p == ',')
		p = skip_space(p + 1, walk->end);
	if (p >= walk->end)
		return false;
	if (walk->object) {
		key = span(p, walk->end);
		if (view_kind(key) != VIEW_STRING)
			return false;
		p = skip_space(key.text + key.length, walk->end);
		if (p >= walk->end || *p != ':')
			return false;
		p++;
	}
	value = span(p, walk->end);
	if (value.length == 0)
		return false;
	walk->next = value.text + value.length;
	*ret_key = key;
	*ret_value = value;
	return true;
}

struct view view_member(struct view object, const char *name)
{
	struct view_walk walk = view_walk(object);
	struct view key;
	struct view value;

	if (view_kind(object) == VIEW_OBJECT)
		while (view_next(&walk, &key, &value))
			if (view_is(key, name))
				return value;
	return (struct view){ "", 0 };
}

size_t view_count(struct view view)
{
	struct view_walk walk = view_walk(view);
	struct view key;
	struct view value;
	size_t count = 0;

	while (view_next(&walk, &key, &value))
		count++;
	return count;
}

struct view_chars view_chars(struct view string)
{
	if (view_kind(string) != VIEW_STRING || string.length < 2)
		return (struct view_chars){ "", "" };
	return (struct view_chars){ string.text + 1,
				    string.text + string.length - 1 };
}

/* Four hexadecimal digits at p, or -1. */
static long hex4(const char *p, const char *end)
{
	long value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *at = p[i] ? strchr(digits, p[i]) : NULL;

		if (!at)
			return -1;
		value = value << 4 | ((at - digits) & 15);
	}
	return value;
}

/* After the backslash: one escape, pairs of surrogates joined. */
static uint32_t read_escape(struct view_chars *chars)
{
	static const char names[] = "bfnrt";
	static const char values[] = "\b\f\n\r\t";
	const char *name;
	long high;
	long low;

	if (chars->next >= chars->end)
		return 0xfffd;
	if (*chars->next != 'u') {
		char c = *chars->next++;

		name = c ? strchr(names, c) : NULL;
		return name ? (uint32_t)values[name - names] : (unsigned char)c;
	}
	chars->next++;
	high = hex4(chars->next, chars->end);
	if (high < 0)
		return 0xfffd;
	chars->next += 4;
	if (high < 0xd800 || high > 0xdbff || chars->end - chars->next < 6 ||
	    chars->next[0] != '\\' || chars->next[1] != 'u')
		return (uint32_t)high;
	low = hex4(chars->next + 2, chars->end);
	if (low < 0xdc00 || low > 0xdfff)
		return (uint32_t)high;
	chars->next += 6;
	return 0x10000 +
	       (((uint32_t)high & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
}

/* One raw character: UTF-8 is decoded without its finer rules, which the
 * escaping of text_add_char does not depend on. */
static uint32_t read_raw(struct view_chars *chars)
{
	unsigned char first = (unsigned char)*chars->next++;
	int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	uint32_t c = more ? first & (0x3fu >> more) : first;

	if (first >= 0x80 && (first < 0xc2 || first > 0xf4))
		return 0xfffd;
	for (; more > 0; more--) {
		if (chars->next >= chars->end || (*chars->next & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (*chars->next++ & 0x3f);
	}
	return c;
}

bool view_char(struct view_chars *chars, uint32_t *ret_code_point)
{
	if (chars->next >= chars->end)
		return false;
	if (*chars->next == '\\') {
		chars->next++;
		*ret_code_point = read_escape(chars);
	} else {
		*ret_code_point = read_raw(chars);
	}
	return true;
}

bool view_is(struct view string, const char *ascii)
{
	size_t length = strlen(ascii);

	return view_kind(string) == VIEW_STRING &&
	       string.length == length + 2 &&
	       memcmp(string.text + 1, ascii, length) == 0;
}

/* Copies a number so that it ends in NUL; false when it is too long. */
static bool number_copy(struct view number, char *buf, size_t size)
{
	if (view_kind(number) != VIEW_NUMBER || number.length >= size)
		return false;
	memcpy(buf, number.text, number.length);
	buf[number.length] = '\0';
	return true;
}

int64_t view_int(struct view number, int64_t missing)
{
	char buf[32];
	char *end;
	long long value;

	if (!number_copy(number, buf, sizeof(buf)))
		return missing;
	errno = 0;
	value = strtoll(buf, &end, 10);
	return errno || *end ? missing : value;
}

double view_double(struct view number, double missing)
{
	char buf[64];
	char *end;
	double value;

	if (!number_copy(number, buf, sizeof(buf)))
		return missing;
	value = strtod(buf, &end);
	return *end ? missing : value;
}

bool view_true(struct view view)
{
	return view.length == 4 && memcmp(view.text, "true", 4) == 0;
}
