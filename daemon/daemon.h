/* SPDX-License-Identifier: MIT */
/*
 * daemon: everything of one nopdbd, on one libuv loop. Sessions and targets
 * hang here; it starts, and it leaves when it was told to or is idle.
 */
#ifndef NOPDB_DAEMON_DAEMON_H
#define NOPDB_DAEMON_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/budget.h"
#include "daemon/call.h"
#include "daemon/config.h"
#include "daemon/counters.h"
#include "daemon/exporter.h"
#include "daemon/job.h"
#include "daemon/house.h"
#include "daemon/listener.h"
#include "daemon/patience.h"
#include "daemon/params.h"
#include "daemon/probe.h"
#include "daemon/record.h"
#include "injector/injector.h"

struct session;
struct target;

TAILQ_HEAD(session_list, session);
TAILQ_HEAD(target_list, target);

/* How processes are entered: the injector, or what a test puts in its place. */
struct way_in {
	int (*inject)(const struct process_id *id,
		      const struct inject_options *options,
		      struct inject_report *ret_report, struct error *err);
	int (*wait_gone)(const struct process_id *id,
			 const struct inject_report *report,
			 unsigned timeout_ms, struct error *err);
};

extern const struct way_in way_in_injector;

#define DAEMON_SIGNALS 3

struct daemon {
	uv_loop_t loop;
	const struct way_in *way_in;
	unsigned idle_s; /* 0: never idle */
	struct patience patience;
	int agent_fd; /* -1: no agent to put in */
	char agent_path[PATH_MAX];
	struct listener listener;
	uv_pipe_t server;
	struct exporter exporter; /* of the metrics */
	uv_pipe_t turned_away;	  /* a client there is no memory for */
	bool turning_away;	  /* its handle is in use */
	bool turn_away_next;	  /* another one waits for it */
	uv_prepare_t flush;	  /* writes what the turn queued */
	uv_timer_t idle;
	uv_timer_t deadline; /* of stopping */
	uv_signal_t signals[DAEMON_SIGNALS];
	struct session_list sessions;
	unsigned session_count;
	uint64_t session_serial;
	struct target_list targets;
	unsigned target_count; /* those not yet freed, too */
	uint64_t target_serial;
	struct registry registry;
	struct counters counters;
	struct budget budget; /* of what clients make us hold */
	struct jobs jobs;
	struct house house;
	struct call_list ps_waiting; /* for the next look at all processes */
	bool ps_running;
	bool stopping;
	bool closing;		/* the last handles are being closed */
	char line[RECORD_LINE]; /* where records are put together */
};

/* Prepares the loop and takes an open listener over. agent_fd is borrowed. */
int daemon_init(struct daemon *daemon, const struct listener *listener,
		int agent_fd, const char *agent_path, unsigned idle_s,
		struct error *err) NOPDB_CHECKED;

/* Serves until the daemon stops. */
void daemon_run(struct daemon *daemon);

/* Detaches from all targets, tells the clients, then leaves the loop. */
void daemon_stop(struct daemon *daemon, const char *why);

/* Releases what is left after daemon_run. */
void daemon_release(struct daemon *daemon);

/* A session or a target came or went: idle time and stopping depend on it. */
void daemon_changed(struct daemon *daemon);

#endif
