/* SPDX-License-Identifier: MIT */
/*
 * limits: how much memory the limits of a process leave it (setrlimit(2)).
 * Beyond them its own requests for memory fail.
 */
#ifndef NOPDB_INJECTOR_LIMITS_H
#define NOPDB_INJECTOR_LIMITS_H

#include <stdint.h>
#include <sys/types.h>

#include "injector/target/procfs.h"

struct limits {
	uint64_t space;	 /* bytes left of RLIMIT_AS */
	uint64_t data;	 /* ... of RLIMIT_DATA, since Linux 4.7 */
	uint64_t locked; /* ... of RLIMIT_MEMLOCK, if it locks all it maps */
};

/* Is all that it maps locked, and so there at once? mlockall(MCL_FUTURE) cannot
 * be seen; that most of its memory is locked can. */
bool limits_locks_all(const struct procfs_status *status);

/* UINT64_MAX each: there is no limit, or it cannot be told. */
void limits_read(pid_t pid, const struct procfs_status *status,
		 struct limits *ret_limits);

#endif
