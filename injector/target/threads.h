/* SPDX-License-Identifier: MIT */
/*
 * threads: the threads of a target, best candidates for a hijack first. Read
 * from /proc, nothing is stopped; what it says may be old a moment later.
 */
#ifndef NOPDB_INJECTOR_THREADS_H
#define NOPDB_INJECTOR_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

/* Smaller is better; from THREAD_SKIP on the thread is not to be tried. */
enum thread_rank {
	THREAD_BLOCKED, /* poll, select, sleep, read */
	THREAD_FUTEX,
	THREAD_EPOLL,
	THREAD_RUNNING,
	THREAD_UNKNOWN,
	THREAD_SKIP,
	THREAD_CALLING = THREAD_SKIP, /* in a call that a stop may cut short */
	THREAD_STOPPED,		      /* T */
	THREAD_TRACED,		      /* t */
	THREAD_UNINTERRUPTIBLE,	      /* D */
	THREAD_DEAD,		      /* Z, X, or gone */
};

struct thread {
	pid_t tid;
	enum thread_rank rank;
};

struct threads {
	struct thread *list;
	size_t count;
};

/* Lists and ranks; fails with NO_PROCESS or NO_MEMORY. Released with
 * threads_release. */
int threads_read(pid_t pid, struct threads *ret_threads,
		 struct error *err) NOPDB_CHECKED;
void threads_release(struct threads *threads);

/* Where a thread waits in the kernel; false when it runs. */
bool thread_position(pid_t pid, pid_t tid, uint64_t *ret_sp, uint64_t *ret_pc);

/* The rank by the state letter and the text of /proc/PID/task/TID/syscall
 * (NULL: not readable). */
enum thread_rank thread_rank(char state, const char *syscall);

#endif
