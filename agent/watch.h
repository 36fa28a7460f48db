/* SPDX-License-Identifier: MIT */
/*
 * watch: from a probe to armed code objects, and back. Control thread, GIL
 * held (and released in between).
 */
#ifndef NOPDB_AGENT_WATCH_H
#define NOPDB_AGENT_WATCH_H

#include "agent/probe.h"
#include "proto/json_write.h"

/* What the expression of a location yielded, borrowed. */
struct watch_callable {
	struct object *function;
	struct object *instance; /* whose method it is; NULL: of any */
};

/* Adds a probe, arms the code that is there, and lets code that comes later be
 * asked about. callable: NULL without. NULL with the reason on failure, nothing
 * is left then. */
struct probe *watch_add(const struct probe_spec *spec,
			const struct watch_callable *callable,
			struct frame_error *err);

/* Enabling looks for code again; disabling lets go of it. */
int watch_enable(struct probe *probe, struct frame_error *err);
int watch_disable(struct probe *probe, struct frame_error *err);

/* Removes and frees it. Afterwards no record of it is written any more. */
int watch_remove(struct probe *probe, struct probe_stats *ret_stats,
		 struct frame_error *err);

/* {"state":"armed"|"pending"|"disabled","locations":[..],"truncated":true,
 * "refused":N}; refused: code objects that fit, but for which there was no
 * room. */
void watch_state(struct probe *probe, struct json_writer *w);

/* Gives a code object to the engine, unless it has it as it is, or takes it
 * away. Also from a callback. */
void watch_arm(struct code *code);
void watch_disarm(struct code *code);

/* Waits until no callback is on any stack, for a bounded time; -1: BUSY, or
 * FINALIZING when the interpreter went away. */
int watch_drain(struct frame_error *err);

#endif
