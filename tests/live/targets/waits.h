/* SPDX-License-Identifier: MIT */
/*
 * waits: one function for each system call that can block, for waits.py to
 * wait in. Every one takes `ms` milliseconds when nothing disturbs it.
 */
#ifndef NOPDB_TESTS_WAITS_H
#define NOPDB_TESTS_WAITS_H

#include <errno.h>
#include <stddef.h>
#include <time.h>

/* What the call returned, or -errno. */
typedef int wait_fn(int ms);

struct wait {
	const char *name;
	wait_fn *run;
};

extern const struct wait waits_timed[], waits_woken[]; /* name NULL: end */

static inline int answer(long result)
{
	return result < 0 ? -errno : (int)result;
}

static inline struct timespec span_of(int ms)
{
	struct timespec span = { ms / 1000, ms % 1000 * 1000000L };

	return span;
}

/* That time from now. */
static inline struct timespec until(clockid_t clock, int ms)
{
	struct timespec end;

	clock_gettime(clock, &end);
	end.tv_nsec += ms * 1000000L;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	return end;
}

#endif
