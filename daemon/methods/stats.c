/* SPDX-License-Identifier: MIT */
#include "daemon/daemon.h"
#include "daemon/method.h"

static const struct param params[] = {
	{ NULL, PARAM_END, false },
};

static void write_failures(struct json_writer *w,
			   const struct counters *counters)
{
	json_key(w, "failures");
	json_object_begin(w);
	for (int code = 0; code < ERROR_COUNT; code++) {
		if (counters->failures[code] == 0)
			continue;
		json_key(w, error_name(code));
		json_uint(w, counters->failures[code]);
	}
	json_object_end(w);
}

static void render(struct json_writer *w, const void *arg)
{
	const struct daemon *daemon = arg;
	const struct counters *counters = &daemon->counters;
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "clients", daemon->session_count },
		{ "targets", daemon->target_count },
		{ "probes", daemon->registry.count },
		{ "records", counters->records },
		{ "lost", counters->lost },
		{ "attaches", counters->attaches },
		{ "audit_lost", daemon->house.audit.lost },
		{ "rss_kb", counters_rss_kb() },
		{ "uptime_s",
		  (uv_hrtime() - counters->started_ns) / 1000000000 },
	};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		json_key(w, numbers[i].name);
		json_uint(w, numbers[i].value);
	}
	write_failures(w, counters);
}

static void stats(struct call *call)
{
	call_answer(call, render, call->daemon);
}

const struct method method_stats = { "stats", params, stats, GATE_OPERATOR,
				     RIGHTS_NONE };
