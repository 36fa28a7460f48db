/* SPDX-License-Identifier: MIT */
/*
 * limits: how much memory the limits of a process leave it (setrlimit(2)).
 * Beyond them its own requests for memory fail.
 */
#ifndef NOPDB_INJECTOR_LIMITS_H
#define NOPDB_INJECTOR_LIMITS_H

#include <stdint.h>
#include <sys/types.h>

struct limits {
	uint64_t space; /* bytes left of RLIMIT_AS */
	uint64_t data;	/* ... of RLIMIT_DATA, since Linux 4.7 */
};

/* UINT64_MAX each: there is no limit, or it cannot be told. */
void limits_read(pid_t pid, struct limits *ret_limits);

#endif
