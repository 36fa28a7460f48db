/* SPDX-License-Identifier: MIT */
/*
 * peer: who is at the other end of a client's socket, as the kernel says.
 */
#ifndef NOPDB_DAEMON_PEER_H
#define NOPDB_DAEMON_PEER_H

#include <sys/types.h>

#include "proto/error.h"

struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/* Reads SO_PEERCRED: the credentials at the time of connect(2), unix(7). */
int peer_read(int fd, struct peer *ret_peer, struct error *err) NOPDB_CHECKED;

/* May a peer of this uid use a daemon that runs as `own`? Only the daemon's
 * own user and root; NOT_PERMITTED otherwise. */
int peer_permit(const struct peer *peer, uid_t own,
		struct error *err) NOPDB_CHECKED;

#endif
