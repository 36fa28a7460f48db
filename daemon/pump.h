/* SPDX-License-Identifier: MIT */
/*
 * pump: the daemon's end of one target's ring. Makes the shared memory, reads
 * it when the target rings, a bounded amount per turn of the loop, and hands
 * each record on. Readable after the target died. Loop thread only. Embedded
 * in its owner, who must stay until `closed` was called.
 */
#ifndef NOPDB_DAEMON_PUMP_H
#define NOPDB_DAEMON_PUMP_H

#include <stdbool.h>
#include <uv.h>

#include "proto/error.h"
#include "proto/ring.h"

struct pump;

enum pump_verdict {
	PUMP_TAKEN,
	PUMP_HOLD, /* not now: offer the same record again at pump_kick */
};

struct pump_events {
	/* One record. The body is the pump's own, valid during the call. */
	enum pump_verdict (*record)(struct pump *pump,
				    const struct ring_item *item,
				    const char *body);
	/* Some records were read, or there are none left for now. */
	void (*progress)(struct pump *pump);
	/* The ring's content is not what an agent of ours writes. */
	void (*broken)(struct pump *pump);
	/* The handles are closed: the pump's memory may go. */
	void (*closed)(struct pump *pump);
};

struct pump {
	int memfd;	   /* owned; for FRAME_START */
	int eventfd;	   /* owned */
	struct ring *ring; /* mapped, owned */
	size_t mapped;
	struct ring_reader reader;
	uv_poll_t poll;
	uv_idle_t again;   /* runs while more waits */
	uv_timer_t linger; /* runs while records come now and then */
	unsigned handles;  /* not yet closed */
	const struct pump_events *events;
	void *owner;
	char *body;	       /* LIMIT_RECORD bytes, owned */
	struct ring_item item; /* the record held back */
	bool holding;
	bool stopped; /* broken, or closed */
};

/* Makes the ring with `size` bytes of data (a power of two) and starts to
 * listen. On failure nothing is left and no event comes. */
int pump_open(struct pump *pump, uv_loop_t *loop, uint32_t size,
	      const struct pump_events *events, void *owner,
	      struct error *err) NOPDB_CHECKED;

/* Goes on after PUMP_HOLD. */
void pump_kick(struct pump *pump);

/* Reads whatever is there, without a bound per turn but that of the ring. */
void pump_drain(struct pump *pump);

/* Where the writers are now. pump_reached: has everything that was reserved
 * before that point been read? True when the ring is broken. */
uint64_t pump_mark(const struct pump *pump);
bool pump_reached(const struct pump *pump, uint64_t mark);

/* Idempotent. */
void pump_close(struct pump *pump);

#endif
