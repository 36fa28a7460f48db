/* SPDX-License-Identifier: MIT */
/*
 * monitoring_tool: our tool in sys.monitoring: one of the ids that are open to
 * all (3 and 4), under the name "nopdb:PID:TID", which tells a live agent's
 * tool from one that a dead agent left, or that a forked child inherited.
 *
 * The functions of sys.monitoring are looked up once and must be the
 * interpreter's own, so that no code of the program runs in their place, and
 * callbacks may use them. GIL held; an error indicator must not be set, and
 * none is left. Failures of the interpreter (memory, an audit hook's veto)
 * are answered by false.
 */
#ifndef NOPDB_AGENT_ENGINE_MONITORING_TOOL_H
#define NOPDB_AGENT_ENGINE_MONITORING_TOOL_H

#include <stdbool.h>

#include "agent/python.h"

enum tool_event {
	TOOL_START,
	TOOL_RESUME,
	TOOL_RETURN,
	TOOL_YIELD,
	TOOL_UNWIND,
	TOOL_THROW,
	TOOL_LINE,
	TOOL_EVENTS,
};

/* A set of events: bits 1 << enum tool_event. The interpreter's own bits
 * differ between versions and stay inside of monitoring_tool.c. */
#define TOOL_BIT(event) (1u << TOOL_##event)

/* sys.monitoring.DISABLE, while the tool is taken. */
extern struct object *tool_disable;

/* Takes an id, reclaiming it from an agent that is gone. ENGINE error with the
 * remedy when sys.monitoring is not usable or all ids are in use. */
int tool_take(struct frame_error *err);

/* Gives the id back and drops what tool_take() held. */
void tool_release(void);

/* Registers the callback of an event, NULL: none. */
bool tool_callback(enum tool_event event, struct object *function);

/* Chooses the events that are seen in all code, and those in one code object
 * (borrowed). */
bool tool_watch_all(unsigned events);
bool tool_watch(struct object *code, unsigned events);

/* Is no other tool registered? */
bool tool_alone(void);

/* Undoes every DISABLE, of all tools. */
void tool_restart(void);

#endif
