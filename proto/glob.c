/* SPDX-License-Identifier: MIT */
#include "proto/glob.h"

#include <stddef.h>

bool glob_is_literal(const char *pattern)
{
	for (; *pattern; pattern++)
		if (*pattern == '*' || *pattern == '?' || *pattern == '[')
			return false;
	return true;
}

/* Matches one character against the set that starts after '['. Returns the
 * pattern behind the set, NULL when the set never ends (then '[' is itself). */
static const char *match_set(const char *set, const char *end, char c,
			     bool *ret_match)
{
	bool negated = set < end && (*set == '!' || *set == '^'), match = false;
	const char *first;

	if (negated)
		set++;
	for (first = set; set < end && (*set != ']' || set == first); set++) {
		char low = *set, high = low;

		if (set + 2 < end && set[1] == '-' && set[2] != ']') {
			high = set[2];
			set += 2;
		}
		if ((unsigned char)c >= (unsigned char)low &&
		    (unsigned char)c <= (unsigned char)high)
			match = true;
	}
	if (set >= end)
		return NULL;
	*ret_match = match != negated;
	return set + 1;
}

/* Matches one pattern element (not '*') with one character; the pattern behind
 * it, or NULL. */
static const char *match_one(const char *pattern, const char *end, char c)
{
	bool match;
	const char *behind;

	if (*pattern == '?')
		return pattern + 1;
	if (*pattern == '[') {
		behind = match_set(pattern + 1, end, c, &match);
		if (behind)
			return match ? behind : NULL;
	}
	return *pattern == c ? pattern + 1 : NULL;
}

static bool match(const char *pattern, const char *pattern_end,
		  const char *text, const char *text_end)
{
	const char *star = NULL, *star_text = NULL;

	while (text < text_end) {
		const char *behind;

		if (pattern < pattern_end && *pattern == '*') {
			star = ++pattern;
			star_text = text;
			continue;
		}
		behind = pattern < pattern_end
				 ? match_one(pattern, pattern_end, *text)
				 : NULL;
		if (behind) {
			pattern = behind;
			text++;
		} else if (star) {
			pattern = star;
			text = ++star_text;
		} else {
			return false;
		}
	}
	while (pattern < pattern_end && *pattern == '*')
		pattern++;
	return pattern == pattern_end;
}

static const char *end_of(const char *text)
{
	while (*text)
		text++;
	return text;
}

bool glob_match(const char *pattern, const char *text)
{
	return match(pattern, end_of(pattern), text, end_of(text));
}

/* The start of the last component before end. */
static const char *component(const char *text, const char *end)
{
	while (end > text && end[-1] != '/')
		end--;
	return end;
}

static const char *skip_slashes(const char *text, const char *end)
{
	while (end > text && end[-1] == '/')
		end--;
	return end;
}

bool glob_match_path(const char *pattern, const char *path)
{
	bool absolute = *pattern == '/';
	const char *pattern_end = end_of(pattern), *path_end = end_of(path);

	if (!*pattern)
		return false;
	for (;;) {
		const char *p, *t;

		pattern_end = skip_slashes(pattern, pattern_end);
		path_end = skip_slashes(path, path_end);
		if (pattern_end == pattern)
			return !absolute || (path_end == path && *path == '/');
		if (path_end == path)
			return false;
		p = component(pattern, pattern_end);
		t = component(path, path_end);
		if (!match(p, pattern_end, t, path_end))
			return false;
		pattern_end = p;
		path_end = t;
	}
}
