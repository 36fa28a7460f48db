/* SPDX-License-Identifier: MIT */
/*
 * monitoring_events: the callbacks that the interpreter calls, and what they
 * make of an event. They run on the program's threads with the GIL held, run
 * no code of the program, keep an error indicator and never raise.
 */
#ifndef NOPDB_AGENT_ENGINE_MONITORING_EVENTS_H
#define NOPDB_AGENT_ENGINE_MONITORING_EVENTS_H

#include <stdbool.h>

/* Counts the rematches: code that was asked about before the last one is asked
 * about again, also where a probe has it already. */
extern unsigned monitoring_rematches;

/* Makes the callbacks and registers them with the tool, without an event to
 * watch. False: out of memory, or vetoed by an audit hook. */
bool monitoring_events_register(void);

/* After the tool was released: drops the callbacks. False when somebody else
 * holds one (gc.get_objects() hands them out), so that it could be called. */
bool monitoring_events_release(void);

#endif
