/* SPDX-License-Identifier: MIT */
/*
 * descriptors: what a file descriptor of a process is, and which process on
 * this machine has the other end: of a pipe, of a socket, of a file lock. From
 * /proc and the kernel's socket diagnosis; what we may not see is unknown.
 */
#ifndef NOPDB_INJECTOR_STACK_DESCRIPTORS_H
#define NOPDB_INJECTOR_STACK_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DESCRIPTOR_TEXT 192u
#define DESCRIPTORS_MAX (1u << 18) /* pipe ends and sockets of the machine */

enum descriptor_kind {
	DESCRIPTOR_UNKNOWN,
	DESCRIPTOR_FILE,
	DESCRIPTOR_PIPE,
	DESCRIPTOR_SOCKET,
	DESCRIPTOR_EVENT, /* eventfd, timerfd, epoll, pidfd, ... */
};

struct descriptor {
	enum descriptor_kind kind;
	uint64_t inode;
	char path[DESCRIPTOR_TEXT];   /* as /proc shows it */
	char protocol[8];	      /* "tcp", "unix", ... */
	char local[DESCRIPTOR_TEXT];  /* a socket's address */
	char remote[DESCRIPTOR_TEXT]; /* and its peer's */
	pid_t pidfd;		      /* of a pidfd: its process */
};

struct descriptor_end {
	uint64_t inode;
	pid_t pid;
	int fd;
	bool pipe; /* else a socket */
};

/* One look at all processes, taken when it is first asked for. */
struct descriptors {
	struct descriptor_end *list; /* by inode */
	size_t count, room;
	bool taken;
};

void descriptors_release(struct descriptors *descriptors);

/* False: the process has no such descriptor. */
bool descriptor_read(pid_t pid, int fd, struct descriptor *ret_descriptor);

/* A process other than self that has the other end; 0: none that we see. If
 * only the process itself has it, that is the answer. */
pid_t descriptor_peer(struct descriptors *descriptors, pid_t self,
		      const struct descriptor *descriptor, bool reads);

/* The process that holds a lock on a file; 0: none. */
pid_t descriptor_locker(pid_t self, int fd);

/* A process's short name, "" when it is gone. */
void process_name(pid_t pid, char *buf, size_t size);

#endif
