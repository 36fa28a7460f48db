/* SPDX-License-Identifier: MIT */
#include "agent/source.h"

#include <fcntl.h>

#include "agent/sys.h"

#define FRESH_NS 1000000000u

enum { CHUNK = 16 << 10 };

struct search {
	const struct source_query *query;
	int number; /* of the line that is looked at */
	int count;
	int lines[SOURCE_MATCHES];
};

/* The last search. */
static struct {
	char file[LIMIT_PATH], text[LIMIT_TEXT];
	struct object *pattern; /* compared, not used */
	int def;
	uint64_t time;
	struct search search;
} last;

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Is it the text, but for the space around it? */
static bool is_text(const char *line, size_t length, const char *text)
{
	size_t wanted = text_length(text);

	while (length && blank(*line))
		line++, length--;
	while (length && blank(line[length - 1]))
		length--;
	return length == wanted && memcmp(line, text, wanted) == 0;
}

static bool has_pattern(struct object *pattern, struct object *line)
{
	struct object *found =
		py.PyObject_CallMethod(pattern, "search", "O", line);
	bool result = found && found != py._Py_NoneStruct;

	py_done(found);
	return result;
}

static bool starts(const char *line, size_t length, const char *text)
{
	size_t wanted = text_length(text);

	return length >= wanted && memcmp(line, text, wanted) == 0;
}

static bool is_def(const char *line, size_t length)
{
	while (length && blank(*line))
		line++, length--;
	return starts(line, length, "def ") || starts(line, length, "async ");
}

static void look_at(struct search *search, const char *line, size_t length)
{
	struct object *str;
	bool fits;

	search->number++;
	if (search->count == SOURCE_MATCHES)
		return;
	if (search->query->def) {
		fits = search->number == search->query->def &&
		       is_def(line, length);
	} else if (search->query->text) {
		fits = is_text(line, length, search->query->text);
	} else {
		str = py.PyUnicode_DecodeUTF8(line, (pyssize)length, "replace");
		fits = str && has_pattern(search->query->pattern, str);
		py_drop(str);
		py.PyErr_Clear();
	}
	if (fits)
		search->lines[search->count++] = search->number;
}

/* linecache.cache[file][2], borrowed: a list of str. */
static struct object *cached_lines(struct object *file)
{
	struct object *object = py.PySys_GetObject("modules");

	if (object && py_is(object, py.PyDict_Type))
		object = py.PyDict_GetItemString(object, "linecache");
	if (!object || !py_is(object, py.PyModule_Type))
		return NULL;
	object = py.PyModule_GetDict(object);
	if (object)
		object = py.PyDict_GetItemString(object, "cache");
	if (!object || !py_is(object, py.PyDict_Type))
		return NULL;
	object = py.PyDict_GetItem(object, file);
	if (!object || !py_is(object, py.PyTuple_Type) ||
	    py.PyTuple_Size(object) < 3)
		return NULL;
	object = py.PyTuple_GetItem(object, 2);
	return object && py_is(object, py.PyList_Type) ? object : NULL;
}

static bool search_cached(struct search *search, struct object *file)
{
	struct object *lines = cached_lines(file);
	char text[LIMIT_TEXT * 2];

	if (!lines)
		return false;
	py_ref(lines);
	for (pyssize i = 0; i < py.PyList_Size(lines); i++) {
		size_t length =
			py_text(py.PyList_GetItem(lines, i), text, sizeof text);

		look_at(search, text, length);
	}
	py_drop(lines);
	return true;
}

/* Reads a file line by line; what is longer than the buffer counts as cut. */
static void search_file(struct search *search, const char *path)
{
	static char buf[CHUNK];
	size_t used = 0;
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	for (;;) {
		long got = sys_read(fd, buf + used, sizeof buf - used);
		size_t begin = 0, end = got > 0 ? used + (size_t)got : used;

		for (size_t at = used; at < end; at++) {
			if (buf[at] != '\n')
				continue;
			look_at(search, buf + begin, at - begin);
			begin = at + 1;
		}
		used = end - begin;
		memmove(buf, buf + begin, used);
		if (got <= 0 || used == sizeof buf)
			break;
	}
	if (used)
		look_at(search, buf, used);
	sys_close(fd);
}

static bool is_last(const char *file, const struct source_query *query)
{
	return last.time && sys_monotonic() - last.time < FRESH_NS &&
	       text_equal(last.file, file) && last.pattern == query->pattern &&
	       last.def == query->def &&
	       text_equal(last.text, query->text ? query->text : "");
}

int source_find(struct object *file, const struct source_query *query,
		int ret_lines[SOURCE_MATCHES])
{
	char path[LIMIT_PATH];

	py_text(file, path, sizeof path);
	if (!is_last(path, query)) {
		struct search search = { .query = query };

		if (!search_cached(&search, file))
			search_file(&search, path);
		text_copy(last.file, sizeof last.file, path);
		text_copy(last.text, sizeof last.text,
			  query->text ? query->text : "");
		last.pattern = query->pattern;
		last.def = query->def;
		last.search = search;
		last.time = sys_monotonic();
	}
	memcpy(ret_lines, last.search.lines,
	       (size_t)last.search.count * sizeof *ret_lines);
	return last.search.count;
}

bool source_is_def(struct object *file, int number)
{
	const struct source_query query = { .def = number };
	int lines[SOURCE_MATCHES];

	return file && source_find(file, &query, lines) > 0;
}
