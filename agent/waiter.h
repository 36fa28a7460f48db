/* SPDX-License-Identifier: MIT */
/*
 * waiter: the asyncio task that waits for a task or a future.
 *
 * GIL held. Runs no code of the program; makes objects that the collector
 * tracks. Never leaves an error indicator.
 */
#ifndef NOPDB_AGENT_WAITER_H
#define NOPDB_AGENT_WAITER_H

#include "agent/python.h"

/* A new reference, or NULL: nobody that is known. */
struct object *waiter_of_task(struct object *task);

#endif
