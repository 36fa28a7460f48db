/* SPDX-License-Identifier: MIT */
#include "agent/watch.h"

#include "agent/armed.h"
#include "agent/budget.h"
#include "agent/call.h"
#include "agent/debug.h"
#include "agent/engine/engine.h"
#include "agent/fault.h"
#include "agent/gil.h"
#include "agent/hit.h"
#include "agent/inherit.h"
#include "agent/interpreters.h"
#include "agent/match.h"
#include "agent/script.h"
#include "agent/sys.h"

enum {
	DRAIN_US = 500,
	DRAIN_ROUNDS = 4000, /* 2 s and what callbacks take */
};

void watch_arm(struct code *code)
{
	if (code->armed && !code->changed)
		return;
	code->changed = false;
	engine->arm(code);
	code->armed = true;
}

void watch_disarm(struct code *code)
{
	if (!code->armed)
		return;
	engine->disarm(code);
	code->armed = false;
}

static int match_found(const struct discovered *found, void *arg)
{
	match_probe(arg, found);
	return 0;
}

/* Waits until as few as `rest` callbacks are in progress. */
static int drain(const int *rest, struct frame_error *err)
{
	for (int i = 0; armed_inside > *rest; i++) {
		budget_enforce();
		if (debug_ending())
			debug_enforce();
		if (i == DRAIN_ROUNDS)
			return fault_set(err, ERROR_BUSY,
					 "a capture does not come to its end",
					 "");
		if (!gil_pause(DRAIN_US))
			return fault_finalizing(err);
	}
	return 0;
}

int watch_drain(struct frame_error *err)
{
	static const int none;

	return drain(&none, err);
}

/* Takes one probe from a code object. */
static void let_go(struct code *code, void *arg)
{
	if (!code_has_probe(code, arg))
		return;
	code_remove_probe(code, arg);
	if (code->probe_count)
		watch_arm(code);
	else
		watch_disarm(code);
}

static void collect(struct code *code, void *arg)
{
	code_collect(code);
}

/* Takes a probe from all code, and frees the code that nobody needs then:
 * after the callbacks that may still look at it. */
static int let_go_all(struct probe *probe, struct frame_error *err)
{
	probe->enabled = false;
	call_drop_probe(probe);
	code_each(let_go, probe);
	probe->locations = 0;
	/* Those that wait in a debugger have nothing of a probe any more. */
	if (drain(&debug_parked, err) < 0)
		return -1;
	hit_release_plans(probe);
	code_each(collect, NULL);
	return 0;
}

static void match_entry(struct code *code, void *arg)
{
	if (code->probe_count)
		match_known(arg, code);
}

static void add_number(char *text, size_t size, const char *before,
		       uint32_t number)
{
	size_t used = text_length(text);
	struct json_writer w;

	text_copy(text + used, size - used, before);
	used = text_length(text);
	json_init(&w, text + used, size - used - 1);
	json_uint(&w, number);
	text[used + json_length(&w)] = '\0';
}

/* "no code on line 12; the nearest lines with code: 10, 14" */
static void say_off_line(const struct probe *probe, char *text, size_t size)
{
	const struct location *where = &probe->spec.where;
	const char *before = "; the nearest lines with code: ";

	text[0] = '\0';
	add_number(text, size,
		   where->line_kind == LINE_OFFSET ? "no code on line +"
						   : "no code on line ",
		   where->line);
	if (probe->line_before) {
		add_number(text, size, before, (uint32_t)probe->line_before);
		before = ", ";
	}
	if (probe->line_after)
		add_number(text, size, before, (uint32_t)probe->line_after);
}

/* Nothing fits but for its line. */
static int fault_off_line(const struct probe *probe, struct frame_error *err)
{
	const struct location *where = &probe->spec.where;
	char text[160];

	if (where->line_kind >= LINE_TEXT) {
		if (where->line_kind == LINE_TEXT)
			fault_set(err, ERROR_LOCATION,
				  "no line with code there reads: ",
				  probe->script->line);
		else
			fault_set(err, ERROR_LOCATION,
				  "no line with code there has the pattern",
				  "");
		return fault_remedy(err, "`nopdb lines` shows the lines with "
					 "code; where the source is not known, "
					 "give a line's number");
	}
	say_off_line(probe, text, sizeof text);
	fault_set(err, ERROR_LOCATION, text, "");
	return fault_remedy(err, "`nopdb lines` shows the lines with code");
}

static void match_function(struct probe *probe)
{
	struct discovered found = {
		.code = py.PyFunction_GetCode(probe->function),
		.globals = py.PyFunction_GetGlobals(probe->function),
		.function = probe->function,
	};

	match_probe(probe, &found);
}

/* Finds the code that is there and arms it. */
static int find(struct probe *probe)
{
	if (!probe->function) {
		if (discover(&probe->spec.where, match_found, probe) < 0)
			return -1;
		code_each(match_entry, probe);
		if (!probe->locations && !probe->off_line && !probe->refused)
			probe->function = inherit_find(&probe->spec.where);
	}
	if (probe->function)
		match_function(probe);
	return 0;
}

/* Arms what is there, then lets the engine ask about the rest anew. */
static int look(struct probe *probe, struct frame_error *err)
{
	interpreters_reach();
	probe->refused = 0;
	probe->off_line = false;
	if (find(probe) < 0)
		return fault_finalizing(err);
	if (probe->off_line && !probe->locations && !probe->refused)
		return fault_off_line(probe, err);
	if (probe->refused && !probe->locations) {
		fault_set(err, ERROR_LIMIT,
			  "no room for another probe on this function", "");
		return fault_remedy(err, "remove probes that are not needed, "
					 "or choose a narrower location");
	}
	engine->rematch();
	return 0;
}

struct probe *watch_add(const struct probe_spec *spec,
			const struct watch_callable *callable,
			struct frame_error *err)
{
	struct probe *probe;

	if (spec->kind == PROBE_BREAK && !frames->jump) {
		fault_set(err, ERROR_ENGINE,
			  "breakpoints need Python 3.12 or later", "");
		return NULL;
	}
	probe = probe_add(spec, err);
	if (probe && callable) {
		probe->function = py_ref(callable->function);
		if (callable->instance)
			probe->instance = py_ref(callable->instance);
	}
	if (!probe || look(probe, err) == 0)
		return probe;
	if (let_go_all(probe, NULL) == 0)
		probe_free(probe);
	return NULL;
}

int watch_enable(struct probe *probe, struct frame_error *err)
{
	probe->enabled = true;
	return look(probe, err);
}

int watch_disable(struct probe *probe, struct frame_error *err)
{
	return let_go_all(probe, err);
}

int watch_remove(struct probe *probe, struct probe_stats *ret_stats,
		 struct frame_error *err)
{
	uint32_t locations = probe->locations;

	if (let_go_all(probe, err) < 0)
		return -1;
	probe_stats(probe, ret_stats);
	ret_stats->locations = locations;
	probe_free(probe);
	return 0;
}

/* The first locations of a probe, in the order in which they were found. */
struct listing {
	const struct probe *probe;
	struct code *code[LIMIT_LOCATIONS];
	int count;
};

static void list(struct code *code, void *arg)
{
	struct listing *listing = arg;
	int at = listing->count;

	if (!code_has_probe(code, listing->probe))
		return;
	while (at && listing->code[at - 1]->serial > code->serial)
		at--;
	if (at == LIMIT_LOCATIONS)
		return;
	if (listing->count < LIMIT_LOCATIONS)
		listing->count++;
	for (int i = listing->count - 1; i > at; i--)
		listing->code[i] = listing->code[i - 1];
	listing->code[at] = code;
}

static const char *state_of(const struct probe *probe)
{
	if (!probe->enabled || probe->done)
		return "disabled";
	return probe->locations ? "armed" : "pending";
}

void watch_state(struct probe *probe, struct json_writer *w)
{
	/* `],"truncated":true,"refused":N}` */
	enum { CLOSING = 64 + INTERPRETERS_ROOM };
	struct listing listing = { .probe = probe };
	int i = 0;

	code_each(list, &listing);
	w->end -= CLOSING;
	json_object_begin(w);
	json_key(w, "state");
	json_string(w, state_of(probe));
	json_key(w, "locations");
	json_array_begin(w);
	for (; i < listing.count; i++) {
		struct json_mark mark = json_mark(w);

		code_write(listing.code[i], probe, w);
		if (!w->full)
			continue;
		json_rewind(w, mark);
		break;
	}
	w->end += CLOSING;
	json_array_end(w);
	if (i < (int)probe->locations) {
		json_key(w, "truncated");
		json_bool(w, true);
	}
	if (probe->refused) {
		json_key(w, "refused");
		json_uint(w, probe->refused);
	}
	interpreters_write(w);
	json_object_end(w);
}
