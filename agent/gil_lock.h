/* SPDX-License-Identifier: MIT */
/*
 * gil_lock: the lock that the GIL is, for a child of a fork in C. Python is not
 * told of such a fork and makes nothing anew (PyOS_AfterFork_Child); a program
 * with one thread need not care. With ours there may be a second one that
 * waited for the GIL at the fork, and glibc's condition variable counts it: the
 * child would wait for ever for a waiter that is not there.
 *
 * By layout (struct _gil_runtime_state, the same in 3.7-3.15; GIL builds),
 * proven on the live lock while the GIL is ours; what cannot be proven is left
 * alone.
 */
#ifndef NOPDB_AGENT_GIL_LOCK_H
#define NOPDB_AGENT_GIL_LOCK_H

#include <stdbool.h>

/* Before the GIL is taken for the first time. */
void gil_lock_find(void);

/* In the child, whose only thread calls it; open: the GIL was ours, and nobody
 * has it now. */
void gil_lock_renew(bool open);

#endif
