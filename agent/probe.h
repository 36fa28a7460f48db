/* SPDX-License-Identifier: MIT */
/*
 * probe: what was asked, and how far it got. Owned by the table; a pointer is
 * valid until the probe is removed. GIL held, all of it.
 */
#ifndef NOPDB_AGENT_PROBE_H
#define NOPDB_AGENT_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/frame.h"
#include "proto/probe_spec.h"

struct code;
struct hit_plan;
struct script;

struct probe {
	struct probe_spec spec;
	struct object *function; /* held: its code alone; NULL: the location */
	struct object *instance; /* held: the first argument; NULL: any */
	bool enabled;
	bool runs_code;	    /* probe_asks() when it was set */
	bool done;	    /* a limit was reached; RING_DONE sent */
	uint32_t locations; /* code objects armed for it */
	uint32_t refused;   /* code objects without room for it */
	uint64_t hits, captures;
	uint64_t running; /* hits whose actions run now */
	uint64_t lost_ring, lost_rate, lost_size;
	uint32_t lost_calls, cut; /* proto/frame.h; not beyond 2^32-1 */
	uint64_t rate_second;	  /* CLOCK_MONOTONIC second of rate_count */
	uint64_t rate_count;

	struct script *script; /* owned; spec.script is empty; calls: NULL
				* without a thread's name */
	uint64_t passes;       /* what --every and --after count */

	/* Of a PROBE_BREAK: */
	struct hit_plan *plans; /* owned; one for each code object hit */
	uint64_t error_second;	/* CLOCK_MONOTONIC of the last error told */
	uint64_t errors_untold;
	bool off_line; /* code fits but for the line; the nearest lines: */
	int line_before, line_after;
};

struct probe *probe_find(uint32_t id);
/* Copies the spec and compiles its script. LIMIT when LIMIT_PROBES are set,
 * BUSY when the id is, CONDITION or CODE for what does not compile. */
struct probe *probe_add(const struct probe_spec *spec, struct frame_error *err);
void probe_free(struct probe *probe);
void probe_free_all(void);

int probe_count(void);
struct probe *probe_at(int index); /* 0 .. probe_count()-1 */

/* Does code of the program run for its records (repr.h)? */
static inline bool probe_asks(const struct probe *probe)
{
	return probe->spec.limits.repr || probe->spec.limits.live;
}

/* Is a call or a line of this frame of the instance that was asked for? */
bool probe_instance_fits(const struct probe *probe, const struct code *code,
			 void *frame);

/* Does the thread fit, and do --after and --every let this one through? */
bool probe_turn(struct probe *probe);

/* May a call that starts now be captured? Counts it as a hit, or as lost by
 * rate; false as well when disabled or done, or when the hits
 * whose actions run have the places that are left. Calls in flight do not count
 * against the limit: those that end first are captured, so that a main loop
 * which never returns cannot use it up. */
bool probe_admit(struct probe *probe);

/* May an admitted call that ends now be written? False when the limit was
 * reached or the probe disabled meanwhile. With a filter (minimum duration,
 * only exceptions) it is here that the rate counts: ask after the filter. */
bool probe_take(struct probe *probe);

/* May a yield of an admitted call be written? It counts as lost by rate when
 * it is too many; the call is the hit, not the yield. */
bool probe_admit_yield(struct probe *probe);

/* One capture was written: at the limit it marks the probe done and puts
 * RING_DONE {"reason":"hits"} into the ring. */
void probe_captured(struct probe *probe);

/* One more call for which there is no room; one more record that was cut. */
void probe_lost_call(struct probe *probe);
void probe_cut(struct probe *probe);

void probe_stats(const struct probe *probe, struct probe_stats *ret_stats);

#endif
