/* SPDX-License-Identifier: MIT */
#include "agent/qualname.h"

#include "agent/code.h"
#include "agent/sys.h"

enum { QUALNAME_IN_CODE = 11 }; /* co_qualname, since 3.11 */

static const char locals[] = "<locals>.";

/* A str attribute of a code or function object as text. */
static size_t attr_text(struct object *object, const char *name, char *buf,
			size_t size)
{
	struct object *value = py_attr(object, name);
	size_t length = py_text(value, buf, size);

	py_drop(value);
	return length;
}

static size_t append(char *buf, size_t size, const char *text)
{
	size_t used = text_length(buf);

	text_copy(buf + used, size - used, text);
	return text_length(buf);
}

static const char *last_part(const char *qualname)
{
	const char *part = qualname;

	for (; *qualname; qualname++)
		if (*qualname == '.')
			part = qualname + 1;
	return part;
}

/* What a function object says; nothing when it speaks of another function, as
 * the wrappers of functools.wraps do. */
static bool function_qualname(struct object *function, struct object *code,
			      char *buf, size_t size)
{
	char name[QUALNAME_SIZE];

	if (!attr_text(function, "__qualname__", buf, size))
		return false;
	attr_text(code, "co_name", name, sizeof name);
	return text_equal(last_part(buf), name);
}

/* The body of a class has neither of the flags that every function has. */
static bool is_function(struct object *code)
{
	return py_attr_long(code, "co_flags", 0) &
	       (CODE_OPTIMIZED | CODE_NEWLOCALS);
}

/* The code of a module's top level, as a stack may have it. */
static bool is_module(struct object *code)
{
	char name[QUALNAME_SIZE];

	attr_text(code, "co_name", name, sizeof name);
	return text_equal(name, "<module>");
}

bool qualname_found(const struct discovered *found, char *buf, size_t size)
{
	char name[QUALNAME_SIZE];

	if (py.minor >= QUALNAME_IN_CODE)
		return attr_text(found->code, "co_qualname", buf, size) > 0;
	if (found->function &&
	    function_qualname(found->function, found->code, buf, size))
		return true;
	attr_text(found->code, "co_name", name, sizeof name);
	if (!found->outer || is_module(found->outer->code) ||
	    !qualname_found(found->outer, buf, size)) {
		text_copy(buf, size, name);
		return found->outer && is_module(found->outer->code);
	}
	append(buf, size, ".");
	if (is_function(found->outer->code))
		append(buf, size, locals);
	append(buf, size, name);
	return true;
}

struct search {
	struct object *code;
	char *buf;
	size_t size;
	bool found;
};

/* Ends the walk at the code object that is sought, if it has a name there. */
static int compare(const struct discovered *found, void *arg)
{
	struct search *search = arg;

	if (found->code != search->code)
		return 0;
	search->found = qualname_found(found, search->buf, search->size);
	return search->found;
}

bool qualname_of(struct object *code, struct object *globals, char *buf,
		 size_t size)
{
	struct search search = { code, buf, size, false };

	if (py.minor >= QUALNAME_IN_CODE)
		return attr_text(code, "co_qualname", buf, size) > 0;
	if (globals)
		discover_namespace(globals, compare, &search);
	if (!search.found)
		attr_text(code, "co_name", buf, size);
	return search.found;
}

void qualname_drop_locals(char *qualname)
{
	size_t length = sizeof locals - 1;
	char *to = qualname;

	while (*qualname) {
		size_t i = 0;

		while (i < length && qualname[i] == locals[i])
			i++;
		if (i == length)
			qualname += length;
		else
			*to++ = *qualname++;
	}
	*to = '\0';
}
