/* SPDX-License-Identifier: MIT */
/*
 * activation: the sockets that a service manager opened for us and handed on
 * (sd_listen_fds(3): $LISTEN_PID, $LISTEN_FDS, descriptors from 3 on), and what
 * it is told in return (sd_notify(3): $NOTIFY_SOCKET). Before any thread.
 */
#ifndef NOPDB_DAEMON_ACTIVATION_H
#define NOPDB_DAEMON_ACTIVATION_H

#include <stdbool.h>

#include "daemon/listener.h"
#include "proto/error.h"

#define ACTIVATION_MOST 4

struct activation {
	struct inherited {
		int fd; /* owned until it is claimed, then -1 */
		char path[LISTENER_PATH];
	} sockets[ACTIVATION_MOST];
	unsigned count;
};

/* Takes what was handed to this very process and clears the variables; count
 * is 0 when nothing was. USAGE: one of them is not a listening Unix stream
 * socket that is bound to a path, or they are too many. */
int activation_take(struct activation *ret_activation,
		    struct error *err) NOPDB_CHECKED;

/* Opens the listener with the socket that is bound to the path, or, without a
 * path, with the first that was not claimed. Returns whether there was one. */
bool activation_claim(struct activation *activation, const char *path,
		      struct listener *ret_listener);

/* USAGE when a socket was not claimed; the message names its path. */
int activation_check(const struct activation *activation,
		     struct error *err) NOPDB_CHECKED;

/* Tells the service manager a state ("READY=1"), when there is one. */
void activation_notify(const char *state);

#endif
