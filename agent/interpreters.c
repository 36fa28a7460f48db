/* SPDX-License-Identifier: MIT */
#include "agent/interpreters.h"

#include "agent/engine/engine.h"
#include "agent/probe.h"
#include "agent/record.h"

enum { LISTED = 16, LINE = 96 };

/* The newest one comes first in the list. Only compared, never looked into:
 * without the GIL, and on 3.12+ at all, it may be freed at any time. */
static void *newest;

bool interpreters_changed(void)
{
	return py.PyInterpreterState_Head() != newest;
}

void interpreters_reach(void)
{
	newest = py.PyInterpreterState_Head();
	if (!engine->reach)
		return;
	for (void *one = py.PyInterpreterState_Head(); one;
	     one = py.PyInterpreterState_Next(one))
		engine->reach(one);
}

static void write_one(struct json_writer *w, int64_t id, const char *reason)
{
	json_object_begin(w);
	if (id >= 0) {
		json_key(w, "id");
		json_int(w, id);
	}
	json_key(w, "watched");
	json_bool(w, !reason);
	if (reason) {
		json_key(w, "reason");
		json_string(w, reason);
	}
	json_object_end(w);
}

/* Oldest last, as the interpreter lists them. */
static void write_reached(struct json_writer *w)
{
	void *one = py.PyInterpreterState_Head();

	for (int i = 0; one && i < LISTED; i++) {
		write_one(w, py.PyInterpreterState_GetID(one),
			  engine->reach(one) ? NULL
					     : "another tool has put its frame "
					       "evaluator there");
		one = py.PyInterpreterState_Next(one);
	}
}

void interpreters_write(struct json_writer *w)
{
	/* The main one is the first to be made and the last to go. */
	if (py.PyInterpreterState_Head() == py.PyInterpreterState_Main())
		return;
	json_key(w, "interpreters");
	json_array_begin(w);
	if (engine->reach) {
		write_reached(w);
	} else {
		write_one(w, 0, NULL);
		write_one(w, -1,
			  "on Python 3.12 and later probes reach the main "
			  "interpreter alone");
	}
	json_array_end(w);
}

/* Tells one probe's clients. */
static void tell(const struct probe *probe)
{
	static char text[INTERPRETERS_ROOM + LINE];
	struct json_writer w;

	json_init(&w, text, sizeof text);
	json_object_begin(&w);
	json_key(&w, "state");
	json_string(&w, probe->locations ? "armed" : "pending");
	json_key(&w, "locations");
	json_array_begin(&w);
	json_array_end(&w);
	interpreters_write(&w);
	json_object_end(&w);
	if (!w.full)
		record_put(RING_PROBE, probe->spec.id, text, json_length(&w));
}

void interpreters_follow(void)
{
	bool alone;

	interpreters_reach();
	alone = newest == py.PyInterpreterState_Main();
	for (int i = 0; i < probe_count() && !alone; i++) {
		const struct probe *probe = probe_at(i);

		if (probe->enabled && !probe->done)
			tell(probe);
	}
}
