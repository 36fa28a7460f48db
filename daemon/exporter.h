/* SPDX-License-Identifier: MIT */
/*
 * exporter: answers HTTP on a Unix socket of its own with the metrics. Bounded
 * in what it reads, in how many it serves and in how long it waits. Who may
 * connect is what the socket's mode says. Loop thread only; embedded in the
 * daemon.
 */
#ifndef NOPDB_DAEMON_EXPORTER_H
#define NOPDB_DAEMON_EXPORTER_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/listener.h"
#include "proto/error.h"

struct daemon;
struct scrape;

struct exporter {
	const struct daemon *daemon;
	struct listener listener;
	uv_pipe_t server;
	TAILQ_HEAD(, scrape) scrapes;
	unsigned count;
	bool open;
};

/* Serves an open listener, which it takes over, from the daemon's loop. */
int exporter_open(struct exporter *exporter, struct daemon *daemon,
		  const struct listener *listener,
		  struct error *err) NOPDB_CHECKED;

/* Ends every connection, too. Does nothing when it is not open. */
void exporter_close(struct exporter *exporter);

#endif
