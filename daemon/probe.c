/* SPDX-License-Identifier: MIT */
#include "daemon/probe.h"

#include "daemon/script.h"
#include "daemon/session.h"
#include "daemon/target.h"
#include "proto/location.h"

/* ---- registry
 * ------------------------------------------------------------------- */

void registry_init(struct registry *registry)
{
	for (unsigned i = 0; i < REGISTRY_BUCKETS; i++)
		LIST_INIT(&registry->buckets[i]);
	registry->count = 0;
	registry->last_id = 0;
}

uint32_t registry_next_id(struct registry *registry)
{
	do {
		registry->last_id++;
	} while (registry->last_id == 0 ||
		 registry_find(registry, registry->last_id));
	return registry->last_id;
}

struct probe *registry_find(const struct registry *registry, uint32_t id)
{
	struct probe *probe;

	LIST_FOREACH(probe, &registry->buckets[id % REGISTRY_BUCKETS], by_id)
	{
		if (probe->spec.id == id)
			return probe;
	}
	return NULL;
}

void registry_add(struct registry *registry, struct probe *probe)
{
	LIST_INSERT_HEAD(&registry->buckets[probe->spec.id % REGISTRY_BUCKETS],
			 probe, by_id);
	registry->count++;
}

void registry_remove(struct registry *registry, struct probe *probe)
{
	LIST_REMOVE(probe, by_id);
	registry->count--;
}

/* ---- names
 * ---------------------------------------------------------------------- */

const char *probe_state_name(enum probe_state state)
{
	switch (state) {
	case PROBE_ARMED:
		return "armed";
	case PROBE_DISABLED:
		return "disabled";
	case PROBE_REMOVING:
	case PROBE_DRAINING:
		return "removed";
	case PROBE_ADDING:
	case PROBE_PENDING:
		break;
	}
	return "pending";
}

const char *probe_end_name(enum probe_end end)
{
	static const char *const names[] = {
		[PROBE_END_HITS] = "hits",
		[PROBE_END_TIME] = "time",
		[PROBE_END_REMOVED] = "removed",
		[PROBE_END_DETACHED] = "detached",
		[PROBE_END_TARGET_EXIT] = "target-exit",
		[PROBE_END_CLIENT_GONE] = "client-gone",
		[PROBE_END_AGENT_LOST] = "agent-lost",
		[PROBE_END_BUDGET] = "budget",
		[PROBE_END_NOT_PERMITTED] = "not-permitted",
	};

	return names[end];
}

const char *probe_kind_name(uint32_t kind)
{
	switch (kind) {
	case PROBE_CALLS:
		return "calls";
	case PROBE_BREAK:
		return "break";
	}
	return "unknown";
}

bool probe_ending(const struct probe *probe)
{
	return probe->state == PROBE_REMOVING || probe->state == PROBE_DRAINING;
}

/* ---- counters
 * ------------------------------------------------------------------- */

static void grow(uint64_t *counter, uint64_t value)
{
	if (value > *counter)
		*counter = value;
}

void probe_take_stats(struct probe *probe, const struct probe_stats *stats)
{
	probe->stats.locations = stats->locations;
	grow(&probe->stats.hits, stats->hits);
	grow(&probe->stats.captures, stats->captures);
	grow(&probe->stats.lost_ring, stats->lost_ring);
	grow(&probe->stats.lost_rate, stats->lost_rate);
	grow(&probe->stats.lost_size, stats->lost_size);
	if (stats->lost_calls > probe->stats.lost_calls)
		probe->stats.lost_calls = stats->lost_calls;
	if (stats->cut > probe->stats.cut)
		probe->stats.cut = stats->cut;
}

uint64_t probe_hits(const struct probe *probe)
{
	return probe->stats.hits > probe->captures ? probe->stats.hits
						   : probe->captures;
}

void probe_write_counts(struct json_writer *w, const struct probe *probe,
			uint64_t lost_slow)
{
	json_key(w, "hits");
	json_uint(w, probe_hits(probe));
	json_key(w, "captures");
	json_uint(w, probe->captures);
	json_key(w, "lost");
	json_object_begin(w);
	json_key(w, "ring");
	json_uint(w, probe->stats.lost_ring);
	json_key(w, "rate");
	json_uint(w, probe->stats.lost_rate);
	json_key(w, "size");
	json_uint(w, probe->stats.lost_size);
	json_key(w, "calls");
	json_uint(w, probe->stats.lost_calls);
	json_key(w, "slow-client");
	json_uint(w, lost_slow);
	if (probe->lost_invalid) {
		json_key(w, "invalid");
		json_uint(w, probe->lost_invalid);
	}
	json_object_end(w);
	json_key(w, "cut");
	json_uint(w, probe->stats.cut);
}

/* ---- listing
 * -------------------------------------------------------------------- */

/* A member for a text that is given. */
static void write_part(struct json_writer *w, const char *name,
		       const char *part)
{
	if (!part[0])
		return;
	json_key(w, name);
	json_string(w, part);
}

static void write_limits(struct json_writer *w,
			 const struct probe_limits *limits)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "hits", limits->hits },
		{ "time_ms", limits->time_ms },
		{ "rate", limits->rate },
		{ "depth", limits->depth },
		{ "items", limits->items },
		{ "string", limits->string },
		{ "stack", limits->stack },
		{ "record", limits->record },
		{ "min_duration_ns", limits->min_duration_ns },
		{ "every", limits->every },
		{ "after", limits->after },
		{ "eval_ms", limits->eval_ms },
		{ "exec_ms", limits->exec_ms },
		{ "debug_ms", limits->debug_ms },
	};

	json_object_begin(w);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		json_key(w, numbers[i].name);
		json_uint(w, numbers[i].value);
	}
	json_key(w, "locals");
	json_bool(w, limits->locals);
	json_key(w, "only_exceptions");
	json_bool(w, limits->only_exceptions);
	json_key(w, "yields");
	json_bool(w, limits->yields);
	if (limits->redaction.strict) {
		json_key(w, "strict");
		json_bool(w, true);
	}
	write_part(w, "redact", limits->redaction.also);
	write_part(w, "no_redact", limits->redaction.except);
	json_key(w, "arrays");
	json_string(w, limits->arrays ? "full" : "summary");
	json_key(w, "repr");
	json_bool(w, limits->repr);
	if (limits->live) {
		json_key(w, "live");
		json_bool(w, true);
	}
	json_object_end(w);
}

static uint64_t lost_by(const struct session *session, uint32_t probe)
{
	return session ? session_lost(session, probe) : 0;
}

void probe_write(struct json_writer *w, const struct probe *probe,
		 const struct session *asking)
{
	char where[LIMIT_NAME * 2 + LIMIT_PATH + 64];

	json_object_begin(w);
	json_key(w, "probe");
	json_uint(w, probe->spec.id);
	json_key(w, "target");
	json_string(w, probe->target->name);
	json_key(w, "pid");
	json_int(w, probe->target->id.pid);
	json_key(w, "kind");
	json_string(w, probe_kind_name(probe->spec.kind));
	json_key(w, "where");
	json_string(w, probe->spec.script.callable
			       ? probe->spec.script.callable
			       : location_text(&probe->spec.where, where,
					       sizeof(where)));
	write_part(w, "module", probe->spec.where.module);
	write_part(w, "file", probe->spec.where.file);
	write_part(w, "function", probe->spec.where.function);
	script_write(w, &probe->spec);
	json_key(w, "state");
	json_string(w, probe_state_name(probe->state));
	probe_write_counts(w, probe, lost_by(probe->owner, probe->spec.id));
	json_key(w, "owner");
	json_bool(w, probe->owner && probe->owner == asking);
	json_key(w, "persist");
	json_bool(w, probe->persist);
	json_key(w, "limits");
	write_limits(w, &probe->spec.limits);
	json_object_end(w);
}
