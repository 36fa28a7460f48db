/* SPDX-License-Identifier: MIT */
/*
 * probe: one probe as the daemon knows it, and the registry of all of them.
 * The target owns its probes; a session may own a probe in the other sense,
 * that its records go there and that it goes when the session goes. Loop
 * thread only. How a probe comes and goes: probe_life.h.
 */
#ifndef NOPDB_DAEMON_PROBE_H
#define NOPDB_DAEMON_PROBE_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/call.h"
#include "proto/frame.h"
#include "proto/json_write.h"
#include "proto/probe_spec.h"

struct session;
struct target;

enum probe_state {
	PROBE_ADDING,  /* sent, not answered: its records are held back */
	PROBE_PENDING, /* matches no code object yet */
	PROBE_ARMED,
	PROBE_DISABLED,
	PROBE_REMOVING, /* removal sent, not answered */
	PROBE_DRAINING, /* removed; its last records are on the way */
};

/* Why a probe ended; the names are wire API. */
enum probe_end {
	PROBE_END_HITS,
	PROBE_END_TIME,
	PROBE_END_REMOVED,
	PROBE_END_DETACHED,
	PROBE_END_TARGET_EXIT,
	PROBE_END_CLIENT_GONE,
	PROBE_END_AGENT_LOST,
	PROBE_END_BUDGET,
	PROBE_END_NOT_PERMITTED, /* any more: the policy changed */
};

struct probe {
	LIST_ENTRY(probe) by_id;
	TAILQ_ENTRY(probe) of_target;
	struct target *target;
	struct session *owner; /* NULL: it is persistent and alone */
	uid_t uid;	       /* of the client that set it and went */
	bool persist;
	bool used_up; /* its hits, while a debugger still holds it */
	struct probe_spec spec;
	void *encoded; /* the spec, owned: its texts point there */
	size_t encoded_size;
	size_t size; /* charged to the daemon's budget */
	enum probe_state state;
	enum probe_end end;	  /* from PROBE_REMOVING on */
	uint64_t seq;		  /* of its last record */
	uint64_t captures;	  /* that came through the ring */
	uint64_t lost_invalid;	  /* whose text was not fit to forward */
	struct probe_stats stats; /* as the agent told last */
	struct probe_stats told;  /* losses already told to clients */
	uint64_t mark;		  /* PROBE_DRAINING: read the ring to here */
	uint64_t drain_since_ns;
	uv_timer_t time_limit;
	struct call *adder;	    /* waits for the first state */
	struct call_list switchers; /* wait for a new state */
	struct call_list removers;  /* wait for the end */
};

#define REGISTRY_BUCKETS 256

struct registry {
	LIST_HEAD(, probe) buckets[REGISTRY_BUCKETS];
	unsigned count;
	uint32_t last_id;
};

void registry_init(struct registry *registry);
/* An id that no probe has; never 0. */
uint32_t registry_next_id(struct registry *registry);
struct probe *registry_find(const struct registry *registry, uint32_t id);
void registry_add(struct registry *registry, struct probe *probe);
void registry_remove(struct registry *registry, struct probe *probe);

/* Names on the wire. A probe that is being set is "pending". */
const char *probe_state_name(enum probe_state state);
const char *probe_end_name(enum probe_end end);
const char *probe_kind_name(uint32_t kind);

/* Is the removal under way? */
bool probe_ending(const struct probe *probe);

/* Takes the agent's counters, which only grow. */
void probe_take_stats(struct probe *probe, const struct probe_stats *stats);

/* Hits as far as known: no fewer than what was captured. */
uint64_t probe_hits(const struct probe *probe);

/* Writes hits, captures and lost; lost_slow is what one client missed. */
void probe_write_counts(struct json_writer *w, const struct probe *probe,
			uint64_t lost_slow);

/* Writes the members of a probe.list entry; `owner` is the asking client. */
void probe_write(struct json_writer *w, const struct probe *probe,
		 const struct session *asking);

#endif
