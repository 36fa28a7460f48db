/* SPDX-License-Identifier: MIT */
/*
 * probe_life: how a probe is set, switched and removed, and what becomes of
 * what the agent says about it. The order of its records is kept here: first
 * its state, then captures, then why it stopped, `end` last. Loop thread only.
 */
#ifndef NOPDB_DAEMON_PROBE_LIFE_H
#define NOPDB_DAEMON_PROBE_LIFE_H

#include "daemon/probe.h"
#include "daemon/pump.h"

/* Sets a probe for the call's client; answers the call. spec.id is filled in
 * here. */
void probe_life_add(struct target *target, struct call *call,
		    const struct probe_spec *spec, bool persist);

/* Enables or disables; answers the call. */
void probe_life_switch(struct probe *probe, struct call *call, bool enable);

/* Adds the actions of the call's params; answers the call. */
void probe_life_actions(struct probe *probe, struct call *call);

/* Starts the removal; does nothing when it is under way. */
void probe_life_end(struct probe *probe, enum probe_end why);

/* Removes a probe for a call, answered after its last record. */
void probe_life_remove(struct probe *probe, struct call *call);

/* Ends every probe of a target at once: its agent will say no more. */
void probe_life_end_all_now(struct target *target, enum probe_end why);

/* No thread is in a debugger for it any more: it ends if its hits are used
 * up. */
void probe_life_debugged(struct probe *probe);

/* A record came out of the ring, which may hold it back. */
enum pump_verdict probe_life_record(struct target *target,
				    const struct ring_item *item,
				    const char *body);

/* Counters came with a PONG. */
void probe_life_stats(struct target *target, const struct frame *pong);

/* The ring was read on: probes that waited for that end. */
void probe_life_progress(struct target *target);

#endif
