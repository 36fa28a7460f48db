/* SPDX-License-Identifier: MIT */
/*
 * monitoring_revive: starts that answered DISABLE. The interpreter remembers
 * the answer in the code object, even after the tool was freed, and a global
 * event that goes off and on again changes nothing for code that did not run
 * in between. restart_events() would undo it, but for the other tools too.
 *
 * This is the cure that leaves other tools alone: for each code object that a
 * probe wants, armed already or created by a function in the heap.
 */
#ifndef NOPDB_AGENT_ENGINE_MONITORING_REVIVE_H
#define NOPDB_AGENT_ENGINE_MONITORING_REVIVE_H

#include "agent/code.h"

/* Watches a code object's events as if none had ever answered DISABLE. Its
 * events must not be watched globally meanwhile. */
bool monitoring_revive_code(struct object *code, unsigned events);

/* Asks match_code() about each function that the collector knows and about
 * the code nested in it. Control thread; keeps the GIL (9-20 ms for half a
 * million objects and 20,000 functions); misses gc.freeze()d functions on 3.12
 * and 3.13. */
void monitoring_revive_heap(void);

#endif
