/* SPDX-License-Identifier: MIT */
#include "agent/match.h"

#include "agent/bootstrap.h"
#include "agent/probe.h"
#include "agent/record.h"
#include "agent/spot.h"
#include "agent/sys.h"
#include "agent/watch.h"
#include "proto/glob.h"

/* Offset of PyTypeObject.tp_getattro, the same in 3.7-3.15. */
enum { TYPE_GETATTRO = 144 };

/* A code object in question, its texts read when first needed. */
struct subject {
	const struct discovered *found;
	bool has_name, has_module, has_file, has_qualname;
	char name[LIMIT_NAME]; /* co_name */
	char file[LIMIT_PATH];
	char stripped[QUALNAME_SIZE]; /* qualname without <locals> */
	struct match_names names;
};

/* The texts stay as they are: clearing 3 KB for each code object would cost
 * more than most answers. */
static void subject_init(struct subject *s, const struct discovered *found)
{
	s->found = found;
	s->has_name = s->has_module = s->has_file = s->has_qualname = false;
}

static bool fits(const char *pattern, const char *text)
{
	if (glob_is_literal(pattern))
		return text_equal(pattern, text);
	return glob_match(pattern, text);
}

/* The str under a key of a namespace, as text. */
static void item_text(struct object *dict, const char *key, char *buf,
		      size_t size)
{
	py_text(py.PyDict_GetItemString(dict, key), buf, size);
}

/* The name under which __main__ was run with -m: __spec__.name. Only of an
 * object whose attributes are plain. */
static void main_alias(struct object *globals, char *buf, size_t size)
{
	struct object *spec = py.PyDict_GetItemString(globals, "__spec__");
	struct object *name;

	buf[0] = '\0';
	if (!spec || !text_equal(py_type_name(spec->type), "ModuleSpec") ||
	    PY_FIELD(void *, spec->type, TYPE_GETATTRO) !=
		    (void *)py.PyObject_GenericGetAttr)
		return;
	name = py_attr(spec, "name");
	py_text(name, buf, size);
	py_drop(name);
}

static void module_names(struct object *globals, char *name, char *alias)
{
	item_text(globals, "__name__", name, LIMIT_NAME);
	alias[0] = '\0';
	if (text_equal(name, "__main__"))
		main_alias(globals, alias, LIMIT_NAME);
}

static bool module_fits(const char *pattern, const char *name,
			const char *alias)
{
	return fits(pattern, name) || (*alias && fits(pattern, alias));
}

bool match_module(const struct location *where, struct object *globals)
{
	char name[LIMIT_NAME], alias[LIMIT_NAME];

	if (!where->module[0])
		return true;
	module_names(globals, name, alias);
	return module_fits(where->module, name, alias);
}

static void read_name(struct subject *s)
{
	struct object *name;

	if (s->has_name)
		return;
	name = py_attr(s->found->code, "co_name");
	py_text(name, s->name, sizeof s->name);
	py_drop(name);
	s->has_name = true;
}

static void read_module(struct subject *s)
{
	if (s->has_module)
		return;
	s->names.module[0] = s->names.alias[0] = '\0';
	if (s->found->globals)
		module_names(s->found->globals, s->names.module,
			     s->names.alias);
	s->has_module = true;
}

static void read_file(struct subject *s)
{
	struct object *file;

	if (s->has_file)
		return;
	file = py_attr(s->found->code, "co_filename");
	py_text(file, s->file, sizeof s->file);
	py_drop(file);
	s->has_file = true;
}

static void strip_qualname(struct subject *s)
{
	text_copy(s->stripped, sizeof s->stripped, s->names.qualname);
	qualname_drop_locals(s->stripped);
}

/* A walk knows more about what it found than the code object alone. */
static void read_qualname(struct subject *s)
{
	const struct discovered *found = s->found;
	char *buf = s->names.qualname;

	if (s->has_qualname)
		return;
	if (!((found->function || found->outer) &&
	      qualname_found(found, buf, QUALNAME_SIZE)))
		qualname_of(found->code, found->globals, buf, QUALNAME_SIZE);
	strip_qualname(s);
	s->has_qualname = true;
}

/* The part of a literal pattern that must be the plain name. */
static const char *last_part(const char *pattern)
{
	const char *part = pattern;

	for (; *pattern; pattern++)
		if (*pattern == '.')
			part = pattern + 1;
	return part;
}

static bool function_fits(const char *pattern, struct subject *s)
{
	bool literal = glob_is_literal(pattern);

	read_name(s);
	if (literal && !text_equal(last_part(pattern), s->name))
		return false;
	if (fits(pattern, s->name))
		return true;
	/* A name without a dot is a function of the module's top level, which
	 * its plain name would have matched. */
	if (literal && last_part(pattern) == pattern)
		return false;
	read_qualname(s);
	return fits(pattern, s->names.qualname) || fits(pattern, s->stripped);
}

static bool file_fits(const char *pattern, struct subject *s)
{
	char path[2 * LIMIT_PATH];
	size_t length;

	read_file(s);
	if (glob_match_path(pattern, s->file))
		return true;
	if (pattern[0] != '/' || s->file[0] == '/' ||
	    sys_working_directory(path, LIMIT_PATH) < 0)
		return false;
	length = text_length(path);
	text_copy(path + length, sizeof path - length, "/");
	text_copy(path + length + 1, sizeof path - length - 1, s->file);
	return glob_match_path(pattern, path);
}

static bool is_comprehension(struct subject *s)
{
	read_name(s);
	return text_equal(s->name, "<listcomp>") ||
	       text_equal(s->name, "<setcomp>") ||
	       text_equal(s->name, "<dictcomp>");
}

/* The cheapest questions first. The agent's own Python code never fits. */
static bool subject_fits(struct subject *s, const struct location *where)
{
	if (s->found->globals && s->found->globals == bootstrap_globals())
		return false;
	if (where->module[0]) {
		read_module(s);
		if (!module_fits(where->module, s->names.module,
				 s->names.alias))
			return false;
	}
	if (where->file[0] && !file_fits(where->file, s))
		return false;
	if (where->function[0])
		return function_fits(where->function, s);
	/* A line of a comprehension is its function's; conditions and actions
	 * of ours are nobody's. */
	return where->line_kind == LINE_NONE || !is_comprehension(s);
}

/* The one function that was asked for, or the location. */
static bool probe_fits(struct subject *s, const struct probe *probe)
{
	if (probe->function)
		return s->found->code == py.PyFunction_GetCode(probe->function);
	return subject_fits(s, &probe->spec.where);
}

static bool add_stops(struct code *code, struct probe *probe, const int *lines,
		      int count)
{
	for (int i = 0; i < count; i++)
		if (!code_add_stop(code, probe, lines[i]))
			return false;
	return true;
}

/* Makes the code object's entry, or finds it, and gives it to a probe. */
static struct code *adopt(struct subject *s, struct probe *probe)
{
	const struct code_names names = {
		s->names.module,
		s->names.alias,
		s->names.qualname,
	};
	int lines[SPOT_LINES], count = 0;
	struct code *code;

	if (probe->spec.kind == PROBE_BREAK) {
		count = spot_lines(probe, s->found->code, lines);
		if (!count)
			return NULL;
	}
	read_module(s);
	read_qualname(s);
	code = code_add(s->found->code, &names);
	if (!code) {
		probe->refused++;
		return NULL;
	}
	if (code_has_probe(code, probe))
		return code;
	if (!code_add_probe(code, probe) ||
	    !add_stops(code, probe, lines, count)) {
		code_remove_probe(code, probe);
		probe->refused++;
		return NULL;
	}
	probe->locations++;
	return code;
}

bool match_where(const struct location *where, const struct discovered *found,
		 struct match_names *ret_names)
{
	struct subject s;

	subject_init(&s, found);
	if (!subject_fits(&s, where))
		return false;
	read_module(&s);
	read_qualname(&s);
	*ret_names = s.names;
	return true;
}

struct code *match_known(struct probe *probe, struct code *code)
{
	struct discovered found = { .code = code->object };
	struct subject s;

	subject_init(&s, &found);
	text_copy(s.names.module, LIMIT_NAME, code->names.module);
	text_copy(s.names.alias, LIMIT_NAME, code->names.alias);
	text_copy(s.names.qualname, QUALNAME_SIZE, code->names.qualname);
	strip_qualname(&s);
	s.has_module = s.has_qualname = true;
	if (!probe_fits(&s, probe))
		return NULL;
	code = adopt(&s, probe);
	if (code)
		watch_arm(code);
	return code;
}

/* Tells the daemon that a pending probe found code. A glob's many are told
 * only as far as an answer would list them. */
static void report(const struct probe *probe, const struct code *code)
{
	static char text[16 << 10];
	struct json_writer w;

	if (probe->locations > LIMIT_LOCATIONS)
		return;
	json_init(&w, text, sizeof text);
	json_object_begin(&w);
	json_key(&w, "state");
	json_string(&w, "armed");
	json_key(&w, "locations");
	json_array_begin(&w);
	code_write(code, probe, &w);
	json_array_end(&w);
	json_object_end(&w);
	if (!w.full)
		record_put(RING_PROBE, probe->spec.id, text, json_length(&w));
}

/* Asks every probe that is on. */
static struct code *match_all(const struct discovered *found)
{
	struct code *code = NULL;
	struct subject s;

	subject_init(&s, found);
	for (int i = 0; i < probe_count(); i++) {
		struct probe *probe = probe_at(i);
		uint32_t before = probe->locations;
		struct code *one;

		if (!probe->enabled || probe->done || !probe_fits(&s, probe))
			continue;
		one = adopt(&s, probe);
		if (!one)
			continue;
		code = one;
		if (probe->locations != before)
			report(probe, code);
	}
	return code;
}

struct code *match_probe(struct probe *probe, const struct discovered *found)
{
	bool known = code_find(found->code) != NULL;
	struct subject s;
	struct code *code;

	subject_init(&s, found);
	if (!probe_fits(&s, probe))
		return NULL;
	code = adopt(&s, probe);
	if (!code)
		return NULL;
	/* Code that has an entry is not asked about when it first runs: other
	 * probes may be waiting for it. */
	if (!known)
		match_all(found);
	watch_arm(code);
	return code;
}

static bool attribute_is(struct object *code, const char *name,
			 const char *text)
{
	struct object *value = py_attr(code, name);
	bool is = py_is_str(value) &&
		  !py.PyUnicode_CompareWithASCIIString(value, text);

	py_drop(value);
	return is;
}

/* What an evaluation runs is no code of the module that it runs in. */
static bool is_evaluation(struct object *code)
{
	return attribute_is(code, "co_name", "<module>") &&
	       attribute_is(code, "co_filename", "<nopdb>");
}

struct code *match_code(struct object *object, struct object *globals)
{
	struct discovered found = { .code = object, .globals = globals };
	struct py_error saved;
	struct code *code;

	if (!probe_count())
		return NULL;
	py_error_save(&saved);
	code = is_evaluation(object) ? NULL : match_all(&found);
	if (code)
		watch_arm(code);
	py_error_restore(&saved);
	return code;
}
