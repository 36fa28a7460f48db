/* SPDX-License-Identifier: MIT */
#include "daemon/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define STATUS_MAX 8192

/* ---- capabilities
 * --------------------------------------------------------------- */

/* Bound to the process that connected where the kernel can tell (6.5), else to
 * the one that has its id now. */
static int open_pidfd(int fd, pid_t pid)
{
	int pidfd = -1;
	socklen_t size = sizeof(pidfd);

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size))
		return pidfd;
	if (errno != ENOPROTOOPT)
		return -1;
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool ended(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) != 0;
}

/* Capabilities over another user namespace are none over ours. */
static bool in_our_namespace(pid_t pid)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return !stat(path, &theirs) && !stat("/proc/self/ns/user", &ours) &&
	       theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

static uint64_t read_effective(pid_t pid)
{
	char path[64], text[STATUS_MAX];
	const char *line;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	line = strstr(text, "\nCapEff:");
	return line ? strtoull(line + 8, NULL, 16) : 0;
}

static uint64_t read_capabilities(int fd, pid_t pid)
{
	uint64_t capabilities = 0;
	int pidfd = pid > 0 ? open_pidfd(fd, pid) : -1;

	if (pidfd < 0)
		return 0;
	if (in_our_namespace(pid))
		capabilities = read_effective(pid);
	/* Had it ended meanwhile, the id could have been another's. */
	if (ended(pidfd))
		capabilities = 0;
	close(pidfd);
	return capabilities;
}

/* ---- the peer
 * -------------------------------------------------------------------- */

static int read_groups(int fd, struct peer *peer, struct error *err)
{
	socklen_t size = 0;

	/* Asked with no room, the kernel tells how much it takes. */
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) ||
	    errno == ENODATA)
		return 0;
	if (errno != ERANGE)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "SO_PEERGROUPS");
	peer->groups = malloc(size);
	if (!peer->groups)
		return error_set(err, ERROR_NO_MEMORY, "no memory for groups");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size))
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "SO_PEERGROUPS");
	peer->group_count = (unsigned)(size / sizeof(*peer->groups));
	return 0;
}

int peer_read(int fd, struct peer *ret_peer, struct error *err)
{
	struct ucred ucred;
	socklen_t size = sizeof(ucred);
	struct peer peer = PEER_INIT;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size))
		return error_set_errno(err, ERROR_SYSTEM, errno, "SO_PEERCRED");
	peer.pid = ucred.pid;
	peer.uid = ucred.uid;
	peer.gid = ucred.gid;
	if (read_groups(fd, &peer, err)) {
		peer_release(&peer);
		return -1;
	}
	if (peer.uid == 0)
		peer.capabilities = read_capabilities(fd, peer.pid);
	*ret_peer = peer;
	return 0;
}

int peer_copy(const struct peer *peer, struct peer *ret_peer, struct error *err)
{
	struct peer copy = *peer;

	copy.groups = NULL;
	if (peer->group_count) {
		copy.groups = calloc(peer->group_count, sizeof(*copy.groups));
		if (!copy.groups)
			return error_set(err, ERROR_NO_MEMORY,
					 "no memory for groups");
		memcpy(copy.groups, peer->groups,
		       peer->group_count * sizeof(*copy.groups));
	}
	*ret_peer = copy;
	return 0;
}

bool peer_same(const struct peer *a, const struct peer *b)
{
	return a->uid == b->uid && a->gid == b->gid &&
	       a->capabilities == b->capabilities &&
	       a->group_count == b->group_count &&
	       (!a->group_count ||
		!memcmp(a->groups, b->groups, a->group_count * sizeof(gid_t)));
}

void peer_release(struct peer *peer)
{
	if (!peer)
		return;
	free(peer->groups);
	peer->groups = NULL;
	peer->group_count = 0;
}

bool peer_operates(const struct peer *peer, uid_t own)
{
	return peer->uid == own || peer->uid == 0;
}

int peer_permit(const struct peer *peer, uid_t own, struct error *err)
{
	if (peer_operates(peer, own))
		return 0;
	error_set(err, ERROR_NOT_PERMITTED,
		  "user %u may not use the daemon of user %u",
		  (unsigned)peer->uid, (unsigned)own);
	return error_remedy(err, "use your own daemon, or run nopdb as root");
}
