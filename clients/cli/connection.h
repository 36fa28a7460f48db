/* SPDX-License-Identifier: MIT */
/*
 * connection: finds the daemon's socket, and starts the daemon when nobody
 * listens.
 *
 * Order: --socket, $NOPDB_SOCKET, $XDG_RUNTIME_DIR/nopdb/sock,
 * /tmp/nopdb-UID/sock, and /run/nopdb/sock when none of these exists. A
 * directory that another user could have made is passed over, and the peer
 * must be this user or root.
 */
#ifndef NOPDB_CLI_CONNECTION_H
#define NOPDB_CLI_CONNECTION_H

#include "proto/error.h"

/* Connects; the descriptor is the caller's. path: of --socket, or NULL.
 * Blocks at most about 5 s. Fails with NO_DAEMON, NOT_PERMITTED, SYSTEM. */
int connection_open(const char *path, int *ret_fd,
		    struct error *err) NOPDB_CHECKED;

#endif
