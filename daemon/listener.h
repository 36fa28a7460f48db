/* SPDX-License-Identifier: MIT */
/*
 * listener: the socket that clients connect to, and what guards it: its
 * directory must be ours, a lock file keeps two daemons from racing for one
 * path, and what is stale is replaced only when nobody listens there.
 */
#ifndef NOPDB_DAEMON_LISTENER_H
#define NOPDB_DAEMON_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "proto/error.h"

#define LISTENER_PATH 108 /* sun_path, unix(7) */

struct listener {
	int fd; /* -1: closed, or handed on */
	int lock_fd;
	dev_t dev; /* of the socket that we bound */
	ino_t ino;
	bool made_directory;
	char path[LISTENER_PATH];
	char lock_path[LISTENER_PATH + 8];
};

#define LISTENER_INIT                   \
	{                               \
		.fd = -1, .lock_fd = -1 \
	}

/* Binds and listens. Blocks up to a few seconds while another daemon at the
 * same path is on its way out. BUSY: another daemon serves the path.
 * NOT_PERMITTED: the directory is not one that can be trusted. */
int listener_open(struct listener *listener, const char *path,
		  struct error *err) NOPDB_CHECKED;

/* Takes over a socket that listens already and belongs to somebody else, who
 * also removes it: the service manager. */
void listener_adopt(struct listener *ret_listener, int fd, const char *path);

/* Lets every user connect: to the socket, and into its directory if that is one
 * that listener_open made. */
int listener_share(const struct listener *listener,
		   struct error *err) NOPDB_CHECKED;

/* Unlinks the socket if it is still ours, and gives the lock back. The file
 * descriptor is closed unless it was handed on (fd == -1). */
void listener_close(struct listener *listener);

#endif
