/* SPDX-License-Identifier: MIT */
#include "daemon/daemon.h"
#include "daemon/memory_use.h"
#include "daemon/method.h"

static const struct param params[] = {
	{ NULL, PARAM_END, false },
};

static void write_failures(struct json_writer *w, const char *key,
			   const uint64_t failures[ERROR_COUNT])
{
	json_key(w, key);
	json_object_begin(w);
	for (int code = 0; code < ERROR_COUNT; code++) {
		if (failures[code] == 0)
			continue;
		json_key(w, error_name(code));
		json_uint(w, failures[code]);
	}
	json_object_end(w);
}

static void write_losses(struct json_writer *w, const struct counters *counters)
{
	json_key(w, "lost_by");
	json_object_begin(w);
	for (int i = 0; i < LOSS_REASONS; i++) {
		json_key(w, counters_loss_name(i));
		json_uint(w, counters->lost[i]);
	}
	json_object_end(w);
}

static void write_class(struct json_writer *w, const unsigned *most_us,
			uint64_t count)
{
	json_object_begin(w);
	if (most_us) {
		json_key(w, "most_us");
		json_uint(w, *most_us);
	}
	json_key(w, "count");
	json_uint(w, count);
	json_object_end(w);
}

/* Each pause is in one class, unlike in the histogram of the metrics. */
static void write_pauses(struct json_writer *w, const struct counters *counters)
{
	json_key(w, "pauses");
	json_object_begin(w);
	json_key(w, "sum_us");
	json_uint(w, counters->pause_sum_us);
	json_key(w, "classes");
	json_array_begin(w);
	for (int i = 0; i < COUNTERS_PAUSES; i++)
		write_class(w, &counters_pause_us[i], counters->pauses[i]);
	write_class(w, NULL, counters->pauses[COUNTERS_PAUSES]);
	json_array_end(w);
	json_object_end(w);
}

static void render(struct json_writer *w, const void *arg)
{
	const struct daemon *daemon = arg;
	const struct counters *counters = &daemon->counters;
	struct memory_use use = memory_use(daemon);
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "clients", daemon->session_count },
		{ "clients_total", counters->clients },
		{ "targets", daemon->target_count },
		{ "probes", daemon->registry.count },
		{ "records", counters->records },
		{ "lost", counters_lost(counters) },
		{ "attaches", counters->attaches },
		{ "departures", counters->departures },
		{ "audit_lost", daemon->house.audit.lost },
		{ "rss_kb", counters_rss_kb() },
		{ "queued_bytes", use.queued },
		{ "ring_bytes", use.rings },
		{ "fds", counters_fds() },
		{ "uptime_s",
		  (uv_hrtime() - counters->started_ns) / 1000000000 },
	};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		json_key(w, numbers[i].name);
		json_uint(w, numbers[i].value);
	}
	write_losses(w, counters);
	write_pauses(w, counters);
	write_failures(w, "failures", counters->failures);
	write_failures(w, "attach_failures", counters->not_attached);
}

static void stats(struct call *call)
{
	call_answer(call, render, call->daemon);
}

const struct method method_stats = { "stats", params, stats, GATE_OPERATOR,
				     RIGHTS_NONE };
