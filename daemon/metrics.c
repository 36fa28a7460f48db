/* SPDX-License-Identifier: MIT */
#include "daemon/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "daemon/daemon.h"
#include "daemon/memory_use.h"

#define US_PER_S 1e6

static void head(FILE *out, const char *name, const char *type,
		 const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(FILE *out, const char *name, const char *type, const char *help,
		double value)
{
	head(out, name, type, help);
	/* Whole up to 2^53, as JSON's numbers. */
	fprintf(out, "%s %.17g\n", name, value);
}

/* Every reason, those that did not happen too: a rate needs a start. */
static void write_failures(FILE *out, const char *name, const char *help,
			   const uint64_t failures[ERROR_COUNT])
{
	head(out, name, "counter", help);
	for (int code = ERROR_NONE + 1; code < ERROR_COUNT; code++)
		fprintf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", name,
			error_name(code), failures[code]);
}

static void write_losses(FILE *out, const struct counters *counters)
{
	static const char name[] = "nopdb_records_lost_total";

	head(out, name, "counter",
	     "Captures that did not reach a client, by reason.");
	for (int i = 0; i < LOSS_REASONS; i++)
		fprintf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", name,
			counters_loss_name(i), counters->lost[i]);
}

static void write_pauses(FILE *out, const struct counters *counters)
{
	static const char name[] = "nopdb_attach_pause_seconds";
	uint64_t count = 0;

	head(out, name, "histogram",
	     "How long the thread was paused through which a process was "
	     "entered.");
	for (int i = 0; i < COUNTERS_PAUSES; i++) {
		count += counters->pauses[i];
		fprintf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
			counters_pause_us[i] / US_PER_S, count);
	}
	count += counters->pauses[COUNTERS_PAUSES];
	fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
	fprintf(out, "%s_sum %.6f\n", name,
		(double)counters->pause_sum_us / US_PER_S);
	fprintf(out, "%s_count %" PRIu64 "\n", name, count);
}

static void write_work(FILE *out, const struct daemon *daemon)
{
	const struct counters *counters = &daemon->counters;

	one(out, "nopdb_clients", "gauge", "Clients that are connected.",
	    daemon->session_count);
	one(out, "nopdb_clients_total", "counter", "Clients that were let in.",
	    (double)counters->clients);
	one(out, "nopdb_targets", "gauge",
	    "Processes that are attached, or on the way in or out.",
	    daemon->target_count);
	one(out, "nopdb_probes", "gauge", "Probes that are set.",
	    daemon->registry.count);
	one(out, "nopdb_attaches_total", "counter",
	    "Processes that were entered.", (double)counters->attaches);
	one(out, "nopdb_departures_total", "counter",
	    "Processes that were left, or ended while attached.",
	    (double)counters->departures);
	one(out, "nopdb_records_total", "counter",
	    "Captures that came out of processes.", (double)counters->records);
	write_failures(out, "nopdb_attach_failures_total",
		       "Attaches that failed or were refused, by reason.",
		       counters->not_attached);
	write_failures(out, "nopdb_request_failures_total",
		       "Requests of any kind that were answered with an error.",
		       counters->failures);
	write_losses(out, counters);
	write_pauses(out, counters);
}

static double cpu_seconds(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
		       US_PER_S;
}

/* The names are those that Prometheus' own clients use for any process. */
static void write_process(FILE *out, const struct daemon *daemon)
{
	struct memory_use use = memory_use(daemon);

	one(out, "nopdb_client_queue_bytes", "gauge",
	    "Bytes that wait for clients to read them.", (double)use.queued);
	one(out, "nopdb_ring_bytes", "gauge",
	    "Memory shared with processes, for their records.",
	    (double)use.rings);
	one(out, "process_resident_memory_bytes", "gauge",
	    "Resident memory of the daemon.", (double)counters_rss_kb() * 1024);
	one(out, "process_open_fds", "gauge", "Open descriptors of the daemon.",
	    (double)counters_fds());
	one(out, "process_cpu_seconds_total", "counter",
	    "CPU time of the daemon.", cpu_seconds());
	one(out, "process_start_time_seconds", "gauge",
	    "When the daemon started, in seconds since 1970.",
	    (double)daemon->counters.started);
}

char *metrics_render(const struct daemon *daemon, size_t *ret_length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_length);
	bool failed;

	if (!out)
		return NULL;
	head(out, "nopdb_build_info", "gauge",
	     "The version of the daemon and of its protocol.");
	fprintf(out, "nopdb_build_info{version=\"%s\",protocol=\"%d\"} 1\n",
		NOPDB_VERSION, NOPDB_PROTOCOL);
	write_work(out, daemon);
	write_process(out, daemon);
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
