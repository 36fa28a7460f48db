/* SPDX-License-Identifier: MIT */
/*
 * arrears: how many records of each probe one slow client did not get, until
 * they are reported to it. Pure memory; belongs to one session.
 */
#ifndef NOPDB_DAEMON_ARREARS_H
#define NOPDB_DAEMON_ARREARS_H

#include <stdbool.h>
#include <stdint.h>

struct arrear {
	uint32_t probe;
	uint64_t unreported;
	uint64_t total;
};

struct arrears {
	struct arrear *list;
	unsigned count;
	unsigned capacity;
};

void arrears_init(struct arrears *arrears);
void arrears_release(struct arrears *arrears);

/* Counts one lost record; false when there is no memory to count it in. */
bool arrears_add(struct arrears *arrears, uint32_t probe);

/* The count of a probe so far, NULL when nothing of it was lost. */
struct arrear *arrears_find(const struct arrears *arrears, uint32_t probe);

/* The next one with something to report, NULL when there is none. */
struct arrear *arrears_next(struct arrears *arrears);

/* Forgets a probe that has ended. */
void arrears_forget(struct arrears *arrears, uint32_t probe);

#endif
