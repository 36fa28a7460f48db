/* SPDX-License-Identifier: MIT */
/*
 * states_lock: the lock of the interpreter's thread states (HEAD_LOCK of
 * CPython), for a child of a fork in C, where nobody makes it anew. From 3.12
 * on we take it without the GIL, to make a thread state; where our thread has
 * no CPU for longer than a fork waits, the child's would be held for ever by a
 * thread that is not there.
 *
 * By layout: it lies before the head of the list of interpreters in _PyRuntime,
 * a semaphore's address in 3.12, a byte from 3.13 on; what cannot be proven is
 * left alone. Up to 3.11 we take it with the GIL alone (gil.h).
 */
#ifndef NOPDB_AGENT_STATES_LOCK_H
#define NOPDB_AGENT_STATES_LOCK_H

/* While the interpreter is there. */
void states_lock_find(void);

/* In the child, whose only thread calls it: nobody has it. */
void states_lock_renew(void);

#endif
