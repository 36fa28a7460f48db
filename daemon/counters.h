/* SPDX-License-Identifier: MIT */
/*
 * counters: what `stats` and the metrics tell about this daemon's life. Loop
 * thread only.
 */
#ifndef NOPDB_DAEMON_COUNTERS_H
#define NOPDB_DAEMON_COUNTERS_H

#include <stdint.h>

#include "proto/error.h"

/* Why captures were lost, as the `lost` record says it. */
enum loss_reason {
	LOSS_RING,
	LOSS_RATE,
	LOSS_SIZE,
	LOSS_CALLS,
	LOSS_INVALID,
	LOSS_SLOW_CLIENT,
	LOSS_REASONS
};

#define COUNTERS_PAUSES 12

struct counters {
	uint64_t started_ns;		/* uv_hrtime at start */
	int64_t started;		/* seconds since 1970 */
	uint64_t clients;		/* that were let in */
	uint64_t attaches;		/* that succeeded */
	uint64_t departures;		/* targets left, or ended */
	uint64_t records;		/* captures that came out of targets */
	uint64_t lost[LOSS_REASONS];	/* captures lost on any way */
	uint64_t failures[ERROR_COUNT]; /* error answers, by code */
	uint64_t not_attached[ERROR_COUNT]; /* those to `attach`, by code */
	/* Pauses by their length, the last: longer than all bounds. */
	uint64_t pauses[COUNTERS_PAUSES + 1];
	uint64_t pause_sum_us;
};

/* Upper bounds of the classes of pauses, in microseconds, ascending. */
extern const unsigned counters_pause_us[COUNTERS_PAUSES];

void counters_failure(struct counters *counters, enum error_code code);

/* An `attach` was answered with this error; besides counters_failure. */
void counters_not_attached(struct counters *counters, enum error_code code);

/* A target was entered, and one of its threads paused for so long. */
void counters_attached(struct counters *counters, uint64_t pause_us);

const char *counters_loss_name(enum loss_reason reason);
uint64_t counters_lost(const struct counters *counters);

/* Resident memory of this process in KiB, 0 when unknown. */
uint64_t counters_rss_kb(void);

/* Open descriptors of this process, 0 when unknown. */
uint64_t counters_fds(void);

#endif
