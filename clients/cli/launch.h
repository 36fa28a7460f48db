/* SPDX-License-Identifier: MIT */
/*
 * launch: starts nopdbd in a session of its own: the one beside this binary,
 * else the one on PATH. Several clients may do so at once: all but one of the
 * daemons then leave by themselves, and every client connects to that one.
 */
#ifndef NOPDB_CLI_LAUNCH_H
#define NOPDB_CLI_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/error.h"

#define LAUNCH_TIMEOUT_MS 5000u

struct launch {
	int words;  /* read end of the daemon's stderr; owned */
	bool ended; /* it closed its stderr, or never began */
	unsigned deadline_ms;
	char said[512]; /* the first that it said */
	size_t length;
};

int launch_daemon(const char *socket_path, struct launch *ret_launch,
		  struct error *err) NOPDB_CHECKED;

/* Waits a little for the daemon to come up, and longer each time; false when
 * there is nothing more to wait for. waited_ms: 0 at first. */
bool launch_wait(struct launch *launch, unsigned *waited_ms);

/* Sets NO_DAEMON with what the daemon said. */
void launch_failed(const struct launch *launch, const char *socket_path,
		   struct error *err);

void launch_release(struct launch *launch);

#endif
