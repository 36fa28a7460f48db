/* SPDX-License-Identifier: MIT */
/*
 * thread_stack: how much C stack threads have, in bytes: the main one, by its
 * limit, and those that Python starts from now on.
 */
#ifndef NOPDB_AGENT_THREAD_STACK_H
#define NOPDB_AGENT_THREAD_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The soft limit: how far the main thread's may grow; RLIM_INFINITY. */
uint64_t thread_stack_main(void);

/* threading.stack_size(), or the C library's default. GIL held. */
uint64_t thread_stack_new(void);

/* Has the calling thread so much left? Whoever made its stack, a guard must lie
 * below it. Some 80 ns for each page that is looked at. */
bool thread_stack_has(size_t bytes);

#endif
