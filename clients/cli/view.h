/* SPDX-License-Identifier: MIT */
/*
 * view: reading JSON text in place. A record is passed on byte for byte and
 * rendered from its own text, so that numbers keep their digits and strings
 * their NULs and lone surrogates, which a tree of doubles and C strings loses.
 *
 * A view is a span of the line it came from: no allocation, no ownership.
 * Malformed text never makes a function read outside the span; it makes it
 * answer "not there".
 */
#ifndef NOPDB_CLI_VIEW_H
#define NOPDB_CLI_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
	const char *text;
	size_t length;
};

enum view_kind {
	VIEW_NONE, /* absent or malformed */
	VIEW_OBJECT,
	VIEW_ARRAY,
	VIEW_STRING,
	VIEW_NUMBER,
	VIEW_BOOL,
	VIEW_NULL,
};

/* The first JSON value in text; an empty view when there is none. */
struct view view_of(const char *text, size_t length);

enum view_kind view_kind(struct view view);

/* A member of an object; an empty view when absent. */
struct view view_member(struct view object, const char *name);

/* Walks the elements of an array or the members of an object:
 *	struct view_walk walk = view_walk(v);
 *	while (view_next(&walk, &key, &value)) ...
 * key is empty in arrays. */
struct view_walk {
	const char *next;
	const char *end;
	bool object;
};
struct view_walk view_walk(struct view view);
bool view_next(struct view_walk *walk, struct view *ret_key,
	       struct view *ret_value);

/* Number of elements or members. */
size_t view_count(struct view view);

/* The code points of a string, escapes resolved, surrogate pairs joined, a
 * lone surrogate as it is:
 *	struct view_chars chars = view_chars(v);
 *	while (view_char(&chars, &c)) ...
 * Bytes that are not UTF-8 come as U+FFFD. */
struct view_chars {
	const char *next;
	const char *end;
};
struct view_chars view_chars(struct view string);
bool view_char(struct view_chars *chars, uint32_t *ret_code_point);

/* Is it this string (ASCII without escapes)? */
bool view_is(struct view string, const char *ascii);

/* An integer that fits; `missing` otherwise. */
int64_t view_int(struct view number, int64_t missing);

/* A number; `missing` otherwise. */
double view_double(struct view number, double missing);

bool view_true(struct view view);

#endif
