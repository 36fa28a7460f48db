/* SPDX-License-Identifier: MIT */
/*
 * procfs: bounded reads of the small text files under /proc/PID. What is read
 * is the target's to influence (its name, its command line), so nothing here
 * trusts lengths or contents.
 */
#ifndef NOPDB_INJECTOR_PROCFS_H
#define NOPDB_INJECTOR_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

/* Reads /proc/PID/NAME into buf (at most size - 1 bytes) and ends it with
 * NUL. Returns the bytes read, or -1 with errno. */
ssize_t procfs_read(pid_t pid, const char *name, char *buf, size_t size);

/* Reads a whole file of any length up to max. Returns heap memory, ended with
 * NUL, to be freed by the caller; NULL with errno. */
char *procfs_read_all(pid_t pid, const char *name, size_t max,
		      size_t *ret_size);

/* Path of a link such as "exe" or "ns/pid". False with errno. */
bool procfs_link(pid_t pid, const char *name, char *buf, size_t size);

/* What /proc/PID/stat (or task/TID/stat) says. */
struct procfs_stat {
	char state;
	bool exiting; /* it has begun to end; its memory may be gone */
	pid_t parent; /* 0: none, or in no pid namespace of ours */
	unsigned threads;
	uint64_t start_time;
	int processor; /* it ran on last; -1: the text ends before that */
};

/* False when the text is not a stat line. The command name in it may hold
 * spaces and parentheses: fields are counted from the last ')'. */
bool procfs_parse_stat(const char *text, struct procfs_stat *ret_stat);

/* False with errno, ESRCH when it holds no such text. */
bool procfs_stat(pid_t pid, struct procfs_stat *ret_stat);

/* Pid namespaces nest at most 32 deep below the first one. */
#define PROCFS_NAMES 33

/* What /proc/PID/status says. */
struct procfs_status {
	pid_t tgid;
	pid_t tracer;
	uid_t uid; /* effective */
	gid_t gid;
	int seccomp;
	unsigned filters; /* of seccomp, 0 before Linux 5.9 */
	bool shadow_stack;
	unsigned fd_table;	  /* for so many descriptors, now */
	uint64_t size, locked;	  /* bytes: VmSize, VmLck */
	bool may_lock;		  /* CAP_IPC_LOCK: as much as it likes */
	unsigned names;		  /* of those that follow */
	pid_t name[PROCFS_NAMES]; /* its id in each pid namespace that it
				     is in, the outermost first */
};

bool procfs_parse_status(const char *text, struct procfs_status *ret_status);
/* False with errno, ESRCH when it holds no such text. */
bool procfs_status(pid_t pid, struct procfs_status *ret_status);
/* The same of one thread. */
bool procfs_thread_status(pid_t pid, pid_t tid,
			  struct procfs_status *ret_status);

/* Opens the status of one thread, to be read once with procfs_status_of() while
 * that thread is stopped: the way through /proc then lies behind us. Stays that
 * thread's, whoever gets its id. Returns a descriptor to be closed, or -1 with
 * errno. */
int procfs_thread_status_open(pid_t pid, pid_t tid);
bool procfs_status_of(int fd, struct procfs_status *ret_status);

#endif
