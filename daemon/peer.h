/* SPDX-License-Identifier: MIT */
/*
 * peer: who is at the other end of a client's socket, as the kernel says.
 */
#ifndef NOPDB_DAEMON_PEER_H
#define NOPDB_DAEMON_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	unsigned group_count;
	gid_t *groups; /* supplementary, owned */
	/* Effective; of root alone, and only in our own user namespace: root
	 * without them, as in a container, may less. 0 for all others. */
	uint64_t capabilities;
};

#define PEER_INIT                         \
	{                                 \
		.pid = 0, .groups = NULL, \
	}

/* Reads SO_PEERCRED and SO_PEERGROUPS: the credentials at the time of
 * connect(2), unix(7). Fails with SYSTEM or NO_MEMORY. */
int peer_read(int fd, struct peer *ret_peer, struct error *err) NOPDB_CHECKED;

/* A copy for a worker, which may outlive the session. */
int peer_copy(const struct peer *peer, struct peer *ret_peer,
	      struct error *err) NOPDB_CHECKED;

/* Do both have the same rights, as far as the kernel goes? */
bool peer_same(const struct peer *a, const struct peer *b);

void peer_release(struct peer *peer);

/* May a peer of this uid use a daemon that runs as `own`? Only the daemon's
 * own user and root; NOT_PERMITTED otherwise. */
int peer_permit(const struct peer *peer, uid_t own,
		struct error *err) NOPDB_CHECKED;

/* The same as a question: is it one who runs this daemon? */
bool peer_operates(const struct peer *peer, uid_t own);

#endif
