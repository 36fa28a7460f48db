/* SPDX-License-Identifier: MIT */
#include "agent/lines.h"

#include "agent/bootstrap.h"
#include "agent/code.h"
#include "agent/fault.h"
#include "agent/inherit.h"
#include "agent/match.h"
#include "agent/memory.h"
#include "agent/probe.h"
#include "agent/script.h"
#include "agent/spot.h"
#include "agent/sys.h"

enum { CLOSING = 96 }; /* `],"truncated":true,"nearest":[N,N]}` */

/* What a location resolves to: held code objects and their names. probe: for
 * a location with a line, what spot_lines() asks; it is in no table. */
struct resolved {
	const struct location *where;
	struct probe *probe; /* NULL: any line */
	bool only; /* one function: what it is called does not matter */
	int count;
	bool truncated;
	struct object *code[LIMIT_LOCATIONS];
	struct match_names names[LIMIT_LOCATIONS];
};

static int collect(const struct discovered *found, void *arg)
{
	struct resolved *r = arg;
	static const struct location anything;
	struct match_names names;
	int lines[SPOT_LINES];

	for (int i = 0; i < r->count; i++)
		if (r->code[i] == found->code)
			return 0;
	if (!match_where(r->only ? &anything : r->where, found, &names) ||
	    (r->probe && !spot_lines(r->probe, found->code, lines)))
		return 0;
	if (r->count == LIMIT_LOCATIONS) {
		r->truncated = true;
		return 1;
	}
	r->names[r->count] = names;
	r->code[r->count++] = py_ref(found->code);
	return 0;
}

/* Walks to all that fits, or looks at one function. */
static int find(struct resolved *r, struct object *function)
{
	struct discovered found = { .function = function };
	int result = 0;

	if (!function) {
		result = discover(r->where, collect, r);
		if (!result && !r->count && !(r->probe && r->probe->off_line))
			found.function = inherit_find(r->where);
	}
	if (!found.function)
		return result;
	found.code = py.PyFunction_GetCode(found.function);
	found.globals = py.PyFunction_GetGlobals(found.function);
	r->only = true;
	collect(&found, r);
	if (!function)
		py_drop(found.function);
	return result;
}

/* Calls code_lines(code) of the bootstrap: a list, or NULL. */
static struct object *lines_of(struct object *code)
{
	struct object *function = bootstrap_function("code_lines");
	struct object *arguments = py.PyTuple_New(1), *lines = NULL;

	/* SetItem takes the reference over, also when it fails. */
	if (function && arguments &&
	    py.PyTuple_SetItem(arguments, 0, py_ref(code)) == 0)
		lines = py.PyObject_CallObject(function, arguments);
	if (!lines)
		py.PyErr_Clear();
	py_drop(arguments);
	return lines;
}

static void write_lines(struct object *code, struct json_writer *w)
{
	struct object *lines = lines_of(code);
	pyssize count = 0;

	if (lines && py_is(lines, py.PyList_Type))
		count = py.PyList_Size(lines);
	json_array_begin(w);
	for (pyssize i = 0; i < count; i++)
		json_int(w, py.PyLong_AsLong(py.PyList_GetItem(lines, i)));
	json_array_end(w);
	py_drop(lines);
}

/* Where a breakpoint would stop; the line of the def for the call. */
static void write_stops(struct probe *probe, struct object *code,
			struct json_writer *w)
{
	int lines[SPOT_LINES];
	int count = spot_lines(probe, code, lines);
	long first = py_attr_long(code, "co_firstlineno", 0);

	json_array_begin(w);
	for (int i = 0; i < count; i++)
		json_int(w, lines[i] ? lines[i] : first);
	json_array_end(w);
}

static void write_text(struct object *str, struct json_writer *w)
{
	char text[LIMIT_PATH];

	py_text(str, text, sizeof text);
	json_string(w, text);
}

static void write_location(const struct resolved *r, int i,
			   struct json_writer *w)
{
	const struct match_names *names = &r->names[i];
	struct object *code = r->code[i];
	char function[LIMIT_NAME + QUALNAME_SIZE];
	struct object *file = py_attr(code, "co_filename");
	size_t used;

	text_copy(function, sizeof function, names->module);
	used = text_length(function);
	if (used)
		function[used++] = ':';
	text_copy(function + used, sizeof function - used, names->qualname);
	json_object_begin(w);
	json_key(w, "function");
	json_string(w, function);
	json_key(w, "file");
	write_text(file, w);
	json_key(w, "line");
	json_int(w, py_attr_long(code, "co_firstlineno", 0));
	json_key(w, "lines");
	write_lines(code, w);
	if (r->probe) {
		json_key(w, "stops");
		write_stops(r->probe, code, w);
	}
	json_object_end(w);
	py_drop(file);
}

/* No line is like that, but code around it is. */
static void write_nearest(const struct probe *probe, struct json_writer *w)
{
	json_key(w, "nearest");
	json_array_begin(w);
	if (probe->line_before)
		json_int(w, probe->line_before);
	if (probe->line_after)
		json_int(w, probe->line_after);
	json_array_end(w);
}

/* Writes as many locations as fit. */
static void write_all(struct resolved *r, struct json_writer *w)
{
	w->end -= CLOSING;
	json_object_begin(w);
	json_key(w, "locations");
	json_array_begin(w);
	for (int i = 0; i < r->count; i++) {
		struct json_mark mark = json_mark(w);

		write_location(r, i, w);
		if (!w->full)
			continue;
		json_rewind(w, mark);
		r->truncated = true;
		break;
	}
	w->end += CLOSING;
	json_array_end(w);
	if (r->truncated) {
		json_key(w, "truncated");
		json_bool(w, true);
	}
	if (r->probe && r->probe->off_line && !r->count)
		write_nearest(r->probe, w);
	json_object_end(w);
}

/* A probe that is asked and not set. NULL with an error. */
static struct probe *new_probe(const struct probe_spec *spec,
			       struct frame_error *err)
{
	struct probe *probe = memory_get(sizeof *probe);
	struct script *script = probe ? memory_get(sizeof *script) : NULL;

	if (!script)
		fault_set(err, ERROR_NO_MEMORY, "the agent's memory is used up",
			  "");
	else if (script_compile(script, spec, err) == 0) {
		probe->spec = *spec;
		probe->script = script;
		return probe;
	}
	memory_put(script, sizeof *script);
	memory_put(probe, sizeof *probe);
	return NULL;
}

static void free_probe(struct probe *probe)
{
	if (!probe)
		return;
	script_release(probe->script);
	memory_put(probe->script, sizeof *probe->script);
	memory_put(probe, sizeof *probe);
}

int lines_write(const struct probe_spec *spec, struct object *function,
		struct json_writer *w, struct frame_error *err)
{
	struct resolved *r = memory_get(sizeof *r);
	int result;

	if (!r)
		return fault_set(err, ERROR_NO_MEMORY,
				 "the agent's memory is used up", "");
	r->where = &spec->where;
	if (spec->kind == PROBE_BREAK) {
		r->probe = new_probe(spec, err);
		if (!r->probe) {
			memory_put(r, sizeof *r);
			return -1;
		}
	}
	result = find(r, function);
	if (result < 0) {
		fault_finalizing(err);
	} else {
		write_all(r, w);
		for (int i = 0; i < r->count; i++)
			py_drop(r->code[i]);
	}
	free_probe(r->probe);
	memory_put(r, sizeof *r);
	return result;
}
