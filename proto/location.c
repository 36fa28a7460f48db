/* SPDX-License-Identifier: MIT */
#include "proto/location.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_DIGITS = 9 };

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Does the text end like "file.py:120" or "x:12"? */
static bool is_line(const char *after_colon)
{
	size_t digits = strspn(after_colon, "0123456789");

	return digits && !after_colon[digits];
}

static int bad(struct error *err, const char *where, const char *reason)
{
	error_set(err, ERROR_LOCATION, "location '%.80s': %s", where, reason);
	return error_remedy(err, "write pkg.mod:Class.method, pkg.mod:function,"
				 " a bare name, or a glob of these");
}

/* Characters that no module, function or glob of them has. */
static const char *illegal_in(const char *text, const char *allowed)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			return "it holds a control character";
		if (strchr(" \t:,;/\\\"'(){}=@#$%&|^~+", c) &&
		    !strchr(allowed, c))
			return "it holds a character that no name has";
	}
	return NULL;
}

/* Dots separate names: none is empty. */
static const char *bad_dots(const char *text)
{
	if (*text == '.' || (*text && text[strlen(text) - 1] == '.'))
		return "it starts or ends with a dot";
	if (strstr(text, ".."))
		return "two dots in a row";
	return NULL;
}

static const char *bad_name(const char *text)
{
	const char *fault = illegal_in(text, "");

	return fault ? fault : bad_dots(text);
}

static const char *bad_set(const char *text)
{
	const char *open = strchr(text, '[');

	if (open && !strchr(open + 1, ']'))
		return "a '[' without its ']'";
	return NULL;
}

int location_check(const struct location *location, struct error *err)
{
	const char *fault = NULL, *part = location->function;

	if (!*location->module && !*location->file && !*location->function)
		return bad(err, "", "it is empty");
	fault = bad_name(location->function);
	if (!fault)
		fault = bad_set(location->function);
	if (!fault) {
		part = location->module;
		fault = bad_name(location->module);
	}
	if (!fault)
		fault = bad_set(location->module);
	if (!fault) {
		part = location->file;
		fault = illegal_in(location->file, " :,;/\\\"'(){}=@#$%&|^~+");
	}
	return fault ? bad(err, part, fault) : 0;
}

/* Cuts surrounding blanks; false when it does not fit. */
static bool copy_part(char *to, size_t size, const char *from, size_t length)
{
	while (length && blank(*from))
		from++, length--;
	while (length && blank(from[length - 1]))
		length--;
	if (length >= size)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

int location_parse(const char *where, struct location *ret_location,
		   struct error *err)
{
	struct location location;
	const char *colon = strchr(where, ':');
	size_t module = colon ? (size_t)(colon - where) : 0;
	const char *function = colon ? colon + 1 : where;

	memset(&location, 0, sizeof location);
	if (colon && is_line(function)) {
		bad(err, where, "calls are captured by function, not by line");
		return error_remedy(err, "name the function that holds the "
					 "line, as pkg.mod:function");
	}
	if (!copy_part(location.module, sizeof location.module, where,
		       module) ||
	    !copy_part(location.function, sizeof location.function, function,
		       strlen(function)))
		return bad(err, where, "a part is too long");
	if (colon && !*location.module)
		return bad(err, where, "nothing stands before the colon");
	if (!*location.function)
		return bad(err, where,
			   colon ? "nothing stands after the colon"
				 : "it is empty");
	if (location_check(&location, err))
		return -1;
	*ret_location = location;
	return 0;
}

int location_parse_line(const char *where, struct location *ret_location,
			struct error *err)
{
	struct location location = { .line_kind = LINE_NUMBER };
	const char *colon = strrchr(where, ':');

	if (!colon || !is_line(colon + 1))
		return location_parse(where, ret_location, err);
	location.line = (uint32_t)strtoul(colon + 1, NULL, 10);
	if (strlen(colon + 1) > LINE_DIGITS || !location.line)
		return bad(err, where, "no file has such a line");
	if (!copy_part(location.file, sizeof location.file, where,
		       (size_t)(colon - where)) ||
	    !*location.file)
		return bad(err, where, "no file's name before the colon");
	if (location_check(&location, err))
		return -1;
	*ret_location = location;
	return 0;
}

const char *location_text(const struct location *location, char *buf,
			  size_t size)
{
	int used;

	if (!*location->file) {
		snprintf(buf, size, "%s%s%s", location->module,
			 *location->module ? ":" : "",
			 *location->function ? location->function : "*");
		return buf;
	}
	used = snprintf(buf, size, "--file %s", location->file);
	if (*location->module && used >= 0 && (size_t)used < size)
		used += snprintf(buf + used, size - (size_t)used,
				 " --module %s", location->module);
	if (*location->function && used >= 0 && (size_t)used < size)
		snprintf(buf + used, size - (size_t)used, " --function %s",
			 location->function);
	return buf;
}
