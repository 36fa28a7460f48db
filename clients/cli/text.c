/* SPDX-License-Identifier: MIT */
#include "clients/cli/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint32_t first;
	uint32_t last;
};

/* Characters that change how others are shown, or show as nothing. */
static const struct range hidden[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },
	{ 0x61c, 0x61c },   { 0x180e, 0x180e }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xd800, 0xdfff },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
};

static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff }, { 0x20000, 0x3fffd },
};

static const struct range combining[] = {
	{ 0x300, 0x36f },   { 0x483, 0x489 },	{ 0x591, 0x5bd },
	{ 0x610, 0x61a },   { 0x64b, 0x65f },	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f },
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

#define IN(ranges, c) in_ranges(ranges, sizeof(ranges) / sizeof((ranges)[0]), c)

void text_release(struct text *text)
{
	free(text->data);
	*text = (struct text)TEXT_INIT;
}

const char *text_string(const struct text *text)
{
	return text->data ? text->data : "";
}

void text_rewind(struct text *text, size_t length)
{
	if (length >= text->length)
		return;
	text->length = length;
	text->data[length] = '\0';
}

static bool text_reserve(struct text *text, size_t more)
{
	size_t size = text->size ? text->size : 64;
	char *data;

	if (text->failed)
		return false;
	if (text->length + more < text->size)
		return true;
	while (size <= text->length + more)
		size *= 2;
	data = realloc(text->data, size);
	if (!data) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->size = size;
	return true;
}

static void text_add_n(struct text *text, const char *words, size_t n)
{
	if (!text_reserve(text, n))
		return;
	memcpy(text->data + text->length, words, n);
	text->length += n;
	text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *words)
{
	text_add_n(text, words, strlen(words));
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list args;
	va_list again;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	if (n > 0 && text_reserve(text, (size_t)n)) {
		vsnprintf(text->data + text->length, (size_t)n + 1, format,
			  again);
		text->length += (size_t)n;
	}
	va_end(again);
	va_end(args);
}

static size_t utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Decodes one code point; returns its bytes, 0 when they are not UTF-8. */
static size_t utf8_decode(const char *bytes, size_t n, uint32_t *ret_c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)bytes;
	size_t need = *p < 0x80		  ? 1
		      : (*p >> 5) == 0x06 ? 2
		      : (*p >> 4) == 0x0e ? 3
		      : (*p >> 3) == 0x1e ? 4
					  : 0;
	uint32_t c;

	if (need == 0 || need > n)
		return 0;
	c = need == 1 ? *p : *p & (0xffu >> (need + 1));
	for (size_t i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_c = c;
	return need;
}

void text_add_char(struct text *text, uint32_t c, char quote)
{
	char utf8[4];

	if (quote && (c == (uint32_t)quote || c == '\\'))
		text_addf(text, "\\%c", (char)c);
	else if (c == '\n')
		text_add(text, "\\n");
	else if (c == '\r')
		text_add(text, "\\r");
	else if (c == '\t')
		text_add(text, "\\t");
	else if (!IN(hidden, c) && c <= 0x10ffff)
		text_add_n(text, utf8, utf8_encode(c, utf8));
	else if (c <= 0xff)
		text_addf(text, "\\x%02x", c);
	else if (c <= 0xffff)
		text_addf(text, "\\u%04x", c);
	else
		text_addf(text, "\\U%08x", c);
}

void text_add_foreign_n(struct text *text, const char *foreign, size_t n)
{
	while (n > 0) {
		uint32_t c;
		size_t used = utf8_decode(foreign, n, &c);

		if (used > 0) {
			text_add_char(text, c, 0);
		} else {
			text_addf(text, "\\x%02x", (unsigned char)*foreign);
			used = 1;
		}
		foreign += used;
		n -= used;
	}
}

void text_add_foreign(struct text *text, const char *foreign)
{
	text_add_foreign_n(text, foreign, strlen(foreign));
}

static size_t char_columns(uint32_t c)
{
	return IN(combining, c) ? 0 : IN(wide, c) ? 2 : 1;
}

/* The bytes of string that fit in `columns`; *ret_used is what they take. */
static size_t bytes_within(const char *string, size_t columns, size_t *ret_used)
{
	size_t length = strlen(string);
	size_t used = 0;
	size_t at = 0;

	while (at < length) {
		uint32_t c = ' ';
		size_t n = utf8_decode(string + at, length - at, &c);
		size_t more = char_columns(c);

		if (used + more > columns)
			break;
		used += more;
		at += n ? n : 1;
	}
	*ret_used = used;
	return at;
}

size_t text_columns(const char *string)
{
	size_t used;

	bytes_within(string, SIZE_MAX, &used);
	return used;
}

void text_cut(struct text *text, size_t from, size_t columns)
{
	static const char dots[] = "...";
	size_t used;

	if (text->length <= from || text_columns(text->data + from) <= columns)
		return;
	if (columns < sizeof(dots) - 1) {
		text_rewind(text, from);
		text_add_n(text, dots, columns);
		return;
	}
	text_rewind(text,
		    from + bytes_within(text->data + from,
					columns - sizeof(dots) + 1, &used));
	text_add(text, dots);
}

void text_pad(struct text *text, size_t from, size_t columns)
{
	size_t used = from < text->length ? text_columns(text->data + from) : 0;

	if (used < columns)
		text_addf(text, "%*s", (int)(columns - used), "");
}
