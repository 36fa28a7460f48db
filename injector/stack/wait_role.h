/* SPDX-License-Identifier: MIT */
/*
 * wait_role: what a lock that a thread waits for is the means of: a queue, a
 * condition, an event, the end of a thread, an import. Told by the functions
 * of the standard library that the thread is in, and their self.
 */
#ifndef NOPDB_INJECTOR_STACK_WAIT_ROLE_H
#define NOPDB_INJECTOR_STACK_WAIT_ROLE_H

#include "injector/stack/explain.h"

/* lock: the one waited for, or 0. False: it is not the means of anything
 * else. */
bool wait_of_role(struct explain *explain, size_t thread, uint64_t lock,
		  struct wait_draft *draft);

#endif
