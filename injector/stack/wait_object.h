/* SPDX-License-Identifier: MIT */
/*
 * wait_object: objects that are written in C and wait inside themselves: a
 * SimpleQueue, and the semaphore that multiprocessing's locks share. Their
 * address, or that of their semaphore, is what the thread waits at.
 */
#ifndef NOPDB_INJECTOR_STACK_WAIT_OBJECT_H
#define NOPDB_INJECTOR_STACK_WAIT_OBJECT_H

#include "injector/stack/explain.h"

/* futex: where the thread waits; parked: 3.13+, what it parked for, or 0.
 * False: for none of these. */
bool wait_of_object(struct explain *explain, size_t thread, uint64_t futex,
		    uint64_t parked, struct wait_draft *draft);

#endif
