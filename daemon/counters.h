/* SPDX-License-Identifier: MIT */
/*
 * counters: what `stats` tells about this daemon's life. Loop thread only.
 */
#ifndef NOPDB_DAEMON_COUNTERS_H
#define NOPDB_DAEMON_COUNTERS_H

#include <stdint.h>

#include "proto/error.h"

struct counters {
	uint64_t started_ns;		/* uv_hrtime at start */
	uint64_t attaches;		/* that succeeded */
	uint64_t records;		/* captures that came out of targets */
	uint64_t lost;			/* captures lost on any way */
	uint64_t failures[ERROR_COUNT]; /* error answers, by code */
};

void counters_failure(struct counters *counters, enum error_code code);

/* Resident memory of this process in KiB, 0 when unknown. */
uint64_t counters_rss_kb(void);

#endif
