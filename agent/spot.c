/* SPDX-License-Identifier: MIT */
#include "agent/spot.h"

#include "agent/script.h"
#include "agent/source.h"
#include "agent/sys.h"

/* The lines of a code object's instructions, from first to last, the same one
 * possibly several times. Non-zero ends the walk. */
typedef int line_visit(int line, void *arg);

static void each_line(struct object *code, line_visit *visit, void *arg)
{
	struct object *bytes = py_attr(code, "co_code");
	pyssize size = 0;
	int last = 0;

	if (bytes && py_is(bytes, py.PyBytes_Type))
		size = py.PyBytes_Size(bytes);
	py_drop(bytes);
	for (pyssize at = 0; at < size; at += 2) {
		int line = py.PyCode_Addr2Line(code, (int)at);

		if (line <= 0 || line == last)
			continue;
		last = line;
		if (visit(line, arg))
			return;
	}
}

/* A search for one line. */
struct search {
	int wanted;
	int first;	   /* co_firstlineno */
	bool found;	   /* there is code on it */
	bool body;	   /* there is code on other lines than the first */
	int before, after; /* nearest with code, 0: none */
};

static int compare(int line, void *arg)
{
	struct search *search = arg;

	search->body |= line != search->first;
	if (line == search->wanted)
		search->found = true;
	else if (line < search->wanted && line > search->before)
		search->before = line;
	else if (line > search->wanted &&
		 (!search->after || line < search->after))
		search->after = line;
	return 0;
}

static bool is_function(struct object *code)
{
	return py_attr_long(code, "co_flags", 0) & CODE_NEWLOCALS;
}

static bool is_lambda(struct object *code)
{
	struct object *name = py_attr(code, "co_name");
	char text[16];

	py_text(name, text, sizeof text);
	py_drop(name);
	return text_equal(text, "<lambda>");
}

static void learn(struct probe *probe, const struct search *search)
{
	probe->off_line = true;
	if (search->before > probe->line_before)
		probe->line_before = search->before;
	if (search->after &&
	    (!probe->line_after || search->after < probe->line_after))
		probe->line_after = search->after;
}

/* A decorated function starts at its decorator; its def stands before the
 * first line of the body, with code of the module at most. */
static bool is_its_def(struct object *code, int line, int body)
{
	struct object *file;
	bool is;

	if (line <= py_attr_long(code, "co_firstlineno", 0) || line >= body)
		return false;
	file = py_attr(code, "co_filename");
	is = source_is_def(file, line);
	py_drop(file);
	return is;
}

/* One line by its number. */
static int spot_number(struct probe *probe, struct object *code, int wanted,
		       int *ret_line)
{
	struct search search = {
		.wanted = wanted,
		.first = (int)py_attr_long(code, "co_firstlineno", 0),
	};
	bool call;

	if (wanted < search.first) {
		search.after = search.first;
		learn(probe, &search);
		return 0;
	}
	each_line(code, compare, &search);
	call = is_function(code) && wanted == search.first &&
	       !(is_lambda(code) && search.body);
	if (!search.found && !call && is_function(code) &&
	    (!search.before || search.before == search.first))
		call = is_its_def(code, wanted, search.after);
	if (!search.found && !call) {
		learn(probe, &search);
		return 0;
	}
	*ret_line = call ? 0 : wanted;
	return 1;
}

/* The lines of a code object that are among some of its file. */
struct choice {
	const int *lines; /* ascending */
	int total, count, most;
	int *chosen;
};

static int choose(int line, void *arg)
{
	struct choice *choice = arg;
	bool wanted = false;

	for (int i = 0; i < choice->total && !wanted; i++)
		wanted = choice->lines[i] == line;
	for (int i = 0; i < choice->count && wanted; i++)
		wanted = choice->chosen[i] != line;
	if (wanted)
		choice->chosen[choice->count++] = line;
	return choice->count == choice->most;
}

/* Which lines of a code object the source says; how many. def: a line that
 * counts as one of them, although no instruction is on it (<= 3.10); or 0. */
static int find_lines(struct object *code, const struct source_query *query,
		      int def, int *chosen, int most)
{
	struct object *file = py_attr(code, "co_filename");
	int lines[SOURCE_MATCHES];
	struct choice choice = { lines, 0, 0, most, chosen };

	if (file)
		choice.total = source_find(file, query, lines);
	py_drop(file);
	if (choice.total && def)
		choose(def, &choice);
	if (choice.total && choice.count < most)
		each_line(code, choose, &choice);
	return choice.count;
}

/* Is one of the lines the def of this function, which is decorated? */
static bool has_def(struct object *code, const struct source_query *query)
{
	struct search search = {
		.wanted = (int)py_attr_long(code, "co_firstlineno", 0),
	};
	struct object *file = py_attr(code, "co_filename");
	int lines[SOURCE_MATCHES];
	int count = file ? source_find(file, query, lines) : 0;
	bool found = false;

	py_drop(file);
	if (count)
		each_line(code, compare, &search);
	for (int i = 0; i < count && !found; i++)
		found = is_its_def(code, lines[i], search.after);
	return found;
}

/* Lines by what stands on them. */
static int spot_source(struct probe *probe, struct object *code,
		       int ret_lines[SPOT_LINES])
{
	bool function = is_function(code) && !is_lambda(code);
	int def = function ? (int)py_attr_long(code, "co_firstlineno", 0) : 0;
	struct source_query query = { .pattern = probe->script->pattern };
	int count;

	if (!query.pattern)
		query.text = probe->script->line;
	count = find_lines(code, &query, def, ret_lines, SPOT_LINES);
	for (int i = 0; i < count; i++)
		if (ret_lines[i] == def)
			ret_lines[i] = 0;
	if (!count && function && has_def(code, &query))
		ret_lines[count++] = 0;
	probe->off_line |= !count;
	return count;
}

int spot_lines(struct probe *probe, struct object *code,
	       int ret_lines[SPOT_LINES])
{
	const struct location *where = &probe->spec.where;
	long first;

	switch (where->line_kind) {
	case LINE_NUMBER:
		return spot_number(probe, code, (int)where->line, ret_lines);
	case LINE_OFFSET:
		first = py_attr_long(code, "co_firstlineno", 0);
		return spot_number(probe, code, (int)(first + where->line),
				   ret_lines);
	case LINE_TEXT:
	case LINE_PATTERN:
		return spot_source(probe, code, ret_lines);
	default:
		ret_lines[0] = 0;
		return is_function(code) ? 1 : 0;
	}
}

int spot_target(const struct code *code, struct object *target)
{
	char text[LIMIT_TEXT];
	const char *digits = text;
	long line = 0;

	py_text(target, text, sizeof text);
	digits += *digits == '+';
	for (; *digits >= '0' && *digits <= '9' && line < INT32_MAX / 16;
	     digits++)
		line = line * 10 + (*digits - '0');
	if (*digits || !line) {
		const struct source_query query = { .text = text };
		int found = 0;

		return find_lines(code->object, &query, 0, &found, 1) ? found
								      : 0;
	}
	return (int)line + (text[0] == '+' ? code->line : 0);
}
