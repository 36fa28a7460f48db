/* SPDX-License-Identifier: MIT */
#include "agent/code.h"

#include "agent/frames.h"
#include "agent/memory.h"
#include "agent/probe.h"
#include "agent/qualname.h"
#include "agent/sys.h"
#include "proto/redact.h"

enum {
	BUCKETS = 4096,	       /* a power of two */
	STOPS_FIRST = 4,       /* room for so many at first */
	TEXTS_SIZE = 32 << 10, /* function, file and keys of one code */
	KEY_SIZE = 1024,
	FUNCTION_SIZE = LIMIT_NAME + QUALNAME_SIZE,
};

static struct code *bucket[BUCKETS];
static unsigned next_serial;

/* The texts of the entry that is being made; GIL, never given up meanwhile. */
static char scratch[TEXTS_SIZE];

static struct code **chain_of(const struct object *object)
{
	return &bucket[((uintptr_t)object >> 4) * 0x9e3779b1u >> 12 &
		       (BUCKETS - 1)];
}

struct code *code_find(const struct object *object)
{
	struct code *code = *chain_of(object);

	while (code && code->object != object)
		code = code->next;
	return code;
}

/* A tuple of names of a code object: a new reference, NULL without. */
static struct object *names_of(struct object *object, const char *attr)
{
	struct object *names = py_attr(object, attr);

	if (names && py_is(names, py.PyTuple_Type))
		return names;
	py_drop(names);
	return NULL;
}

static pyssize name_count(struct object *names)
{
	return names ? py.PyTuple_Size(names) : 0;
}

static bool names_have(struct object *names, struct object *name)
{
	for (pyssize i = 0; i < name_count(names); i++)
		if (py.PyTuple_GetItem(names, i) == name)
			return true;
	return false;
}

/* Three kinds of variables, as the interpreter lists them. */
struct names {
	struct object *locals, *cells, *frees;
};

static pyssize names_total(const struct names *names)
{
	return name_count(names->locals) + name_count(names->cells) +
	       name_count(names->frees);
}

/* Adds `"name":` to the texts; its place there goes into `key` as an offset
 * until the texts have their final address. */
static bool add_variable(struct code *code, struct json_writer *texts,
			 struct object *name, enum variable_kind kind)
{
	struct variable *variable = &code->variables[code->variable_count];
	struct json_mark mark = json_mark(texts);
	size_t at = json_length(texts);
	char text[KEY_SIZE];

	py_text(name, text, sizeof text);
	texts->comma = false;
	json_string(texts, text);
	if (texts->full || json_room(texts) < 1) {
		json_rewind(texts, mark);
		return false;
	}
	*texts->next++ = ':';
	variable->name = py_ref(name);
	variable->key = (const char *)at;
	variable->key_length = (unsigned short)(json_length(texts) - at);
	variable->kind = (unsigned char)kind;
	variable->is_secret = redact_known(text, text_length(text));
	variable->slot = variable->cell_slot = -1;
	code->variable_count++;
	return true;
}

static void add_names(struct code *code, struct json_writer *texts,
		      const struct names *names, struct object *list,
		      enum variable_kind kind)
{
	for (pyssize i = 0; i < name_count(list); i++) {
		struct object *name = py.PyTuple_GetItem(list, i);

		if (code->variable_count == CODE_VARIABLES)
			return;
		if (kind == VARIABLE_CELL && names_have(names->locals, name))
			continue;
		if (!py_is_str(name) || !add_variable(code, texts, name, kind))
			return;
		if (kind == VARIABLE_LOCAL)
			code->variables[code->variable_count - 1].is_cell =
				names_have(names->cells, name);
	}
}

static void add_variables(struct code *code, struct json_writer *texts,
			  const struct names *names)
{
	add_names(code, texts, names, names->locals, VARIABLE_LOCAL);
	add_names(code, texts, names, names->cells, VARIABLE_CELL);
	add_names(code, texts, names, names->frees, VARIABLE_FREE);
}

/* Where texts start within the block, before it has an address. */
struct places {
	size_t function, file, module, alias, qualname;
};

/* Text as it is; where it starts. */
static size_t add_raw(struct json_writer *texts, const char *text)
{
	texts->comma = false;
	json_raw(texts, text, text_length(text));
	return json_length(texts);
}

static size_t add_text(struct json_writer *texts, const char *text)
{
	size_t at = json_length(texts);

	texts->comma = false;
	json_raw(texts, text, text_length(text) + 1);
	return at;
}

/* Renders all but the keys. */
static void render(struct code *code, struct json_writer *texts,
		   const struct code_names *names, struct places *ret_places)
{
	static char text[LIMIT_PATH];
	struct object *file = py_attr(code->object, "co_filename");
	size_t at;

	text_copy(text, FUNCTION_SIZE, names->module);
	if (text[0])
		text_copy(text + text_length(text), 2, ":");
	at = text_length(text);
	text_copy(text + at, FUNCTION_SIZE - at, names->qualname);
	ret_places->function = add_raw(texts, "\"function\":");
	texts->comma = false;
	json_string(texts, text);
	code->function_length =
		(unsigned)(json_length(texts) - ret_places->function);
	py_text(file, text, sizeof text);
	py_drop(file);
	ret_places->file = add_raw(texts, ",\"file\":");
	texts->comma = false;
	json_string(texts, text);
	code->file_length = (unsigned)(json_length(texts) - ret_places->file);
	code->place_length = (unsigned)add_raw(texts, ",\"line\":");
	ret_places->module = add_text(texts, names->module);
	ret_places->alias = add_text(texts, names->alias);
	ret_places->qualname = add_text(texts, names->qualname);
}

/* Moves the texts to a block of their size and turns offsets into pointers. */
static bool settle(struct code *code, const struct json_writer *texts,
		   const struct places *places)
{
	code->texts_size = (unsigned)json_length(texts);
	code->texts = memory_get(code->texts_size);
	if (!code->texts)
		return false;
	memcpy(code->texts, texts->start, code->texts_size);
	code->place = code->texts;
	code->function = code->texts + places->function;
	code->file = code->texts + places->file;
	code->names.module = code->texts + places->module;
	code->names.alias = code->texts + places->alias;
	code->names.qualname = code->texts + places->qualname;
	for (int i = 0; code->variables && i < code->variable_count; i++)
		code->variables[i].key =
			code->texts + (uintptr_t)code->variables[i].key;
	return true;
}

static size_t variables_size(const struct code *code)
{
	return (size_t)code->variables_room * sizeof *code->variables;
}

/* Everything that a record needs, rendered. */
static bool fill(struct code *code, const struct code_names *called)
{
	struct object *object = code->object;
	struct names names = {
		names_of(object, "co_varnames"),
		names_of(object, "co_cellvars"),
		names_of(object, "co_freevars"),
	};
	struct json_writer texts;
	struct places places;
	pyssize total = names_total(&names);

	json_init(&texts, scratch, sizeof scratch);
	render(code, &texts, called, &places);
	code->variables_room =
		total < CODE_VARIABLES ? (int)total : CODE_VARIABLES;
	if (code->variables_room)
		code->variables = memory_get(variables_size(code));
	if (code->variables)
		add_variables(code, &texts, &names);
	py_drop(names.locals);
	py_drop(names.cells);
	py_drop(names.frees);
	if (code->variables_room && !code->variables)
		return false;
	return settle(code, &texts, &places);
}

static void read_signature(struct code *code)
{
	struct object *object = code->object;

	code->line = (int)py_attr_long(object, "co_firstlineno", 0);
	code->flags = (int)py_attr_long(object, "co_flags", 0);
	code->argument_count =
		(int)(py_attr_long(object, "co_argcount", 0) +
		      py_attr_long(object, "co_kwonlyargcount", 0)) +
		!!(code->flags & CODE_VARARGS) +
		!!(code->flags & CODE_VARKEYWORDS);
	if (code->argument_count > code->variable_count)
		code->argument_count = code->variable_count;
}

static size_t stops_size(int count)
{
	return (size_t)count * sizeof(struct code_stop);
}

static void code_free(struct code *code)
{
	struct object *object = code->object;

	for (int i = 0; i < code->variable_count; i++)
		py_drop(code->variables[i].name);
	if (code->variables)
		memory_put(code->variables, variables_size(code));
	memory_put(code->texts, code->texts_size);
	memory_put(code->stops, stops_size(code->stop_room));
	memory_put(code, sizeof *code);
	py_drop(object);
}

struct code *code_add(struct object *object, const struct code_names *names)
{
	struct code *code = code_find(object), **chain = chain_of(object);
	const char *name;

	if (code)
		return code;
	code = memory_get(sizeof *code);
	if (!code)
		return NULL;
	code->object = py_ref(object);
	code->serial = next_serial++;
	if (!fill(code, names)) {
		code_free(code);
		return NULL;
	}
	read_signature(code);
	name = text_tail(code->names.qualname, '.');
	code->is_secret = redact_known(name, text_length(name));
	frames->slots(code);
	code->next = *chain;
	*chain = code;
	return code;
}

bool code_has_probe(const struct code *code, const struct probe *probe)
{
	for (int i = 0; i < code->probe_count; i++)
		if (code->probes[i] == probe)
			return true;
	return false;
}

static unsigned wants_of(const struct code *code, const struct probe *probe)
{
	unsigned wants = 0;

	if (probe->spec.kind == PROBE_CALLS)
		wants |= CODE_WANTS_CALLS;
	if (probe->spec.limits.yields &&
	    code->flags & (CODE_GENERATOR | CODE_ASYNC_GENERATOR))
		wants |= CODE_WANTS_YIELDS;
	return wants;
}

/* What the engine must report, from the probes and their stops. */
static void choose_wants(struct code *code)
{
	unsigned wants = 0;

	for (int i = 0; i < code->probe_count; i++)
		wants |= wants_of(code, code->probes[i]);
	for (int i = 0; i < code->stop_count; i++)
		wants |= code->stops[i].line ? CODE_WANTS_LINES
					     : CODE_WANTS_START;
	code->changed |= wants != code->wants;
	code->wants = wants;
}

bool code_add_probe(struct code *code, struct probe *probe)
{
	if (code_has_probe(code, probe))
		return true;
	if (code->probe_count == CODE_PROBES)
		return false;
	code->probes[code->probe_count++] = probe;
	choose_wants(code);
	return true;
}

/* Room for one more stop. */
static bool grow_stops(struct code *code)
{
	int room = code->stop_room ? 2 * code->stop_room : STOPS_FIRST;
	struct code_stop *stops;

	if (code->stop_count < code->stop_room)
		return true;
	if (code->stop_count == CODE_STOPS)
		return false;
	stops = memory_get(stops_size(room));
	if (!stops)
		return false;
	if (code->stops)
		memcpy(stops, code->stops, stops_size(code->stop_count));
	memory_put(code->stops, stops_size(code->stop_room));
	code->stops = stops;
	code->stop_room = room;
	return true;
}

bool code_add_stop(struct code *code, struct probe *probe, int line)
{
	for (int i = 0; i < code->stop_count; i++)
		if (code->stops[i].probe == probe &&
		    code->stops[i].line == line)
			return true;
	if (!grow_stops(code))
		return false;
	code->stops[code->stop_count++] =
		(struct code_stop){ .probe = probe, .line = line };
	code->changed = true;
	choose_wants(code);
	return true;
}

bool code_stops_at(const struct code *code, int line)
{
	for (int i = 0; i < code->stop_count; i++)
		if (code->stops[i].line == line)
			return true;
	return false;
}

void code_remove_probe(struct code *code, struct probe *probe)
{
	int kept = 0;

	for (int i = 0; i < code->probe_count; i++)
		if (code->probes[i] != probe)
			code->probes[kept++] = code->probes[i];
	code->probe_count = kept;
	kept = 0;
	for (int i = 0; i < code->stop_count; i++)
		if (code->stops[i].probe != probe)
			code->stops[kept++] = code->stops[i];
	code->stop_count = kept;
	choose_wants(code);
}

void code_collect(struct code *code)
{
	struct code **at = chain_of(code->object);

	if (code->probe_count || code->in_flight || code->armed)
		return;
	while (*at && *at != code)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = code->next;
	code_free(code);
}

void code_each(void (*visit)(struct code *code, void *arg), void *arg)
{
	for (int i = 0; i < BUCKETS; i++) {
		struct code *code = bucket[i], *next;

		for (; code; code = next) {
			next = code->next;
			visit(code, arg);
		}
	}
}

static int first_stop(const struct code *code, const struct probe *probe)
{
	for (int i = 0; i < code->stop_count; i++)
		if (code->stops[i].probe == probe && code->stops[i].line)
			return code->stops[i].line;
	return code->line;
}

void code_write(const struct code *code, const struct probe *probe,
		struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "function");
	json_raw(w, code->function, code->function_length);
	json_key(w, "file");
	json_raw(w, code->file, code->file_length);
	json_key(w, "line");
	json_int(w, first_stop(code, probe));
	json_object_end(w);
}

void code_release_all(void)
{
	for (int i = 0; i < BUCKETS; i++) {
		while (bucket[i]) {
			struct code *code = bucket[i];

			bucket[i] = code->next;
			code_free(code);
		}
	}
}
