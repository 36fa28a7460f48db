/* SPDX-License-Identifier: MIT */
/*
 * fork_guard: keeps every fork() of the program out for a moment.
 *
 * Up to 3.11 the child of a fork takes the lock of the thread states before it
 * makes it anew (PyOS_AfterFork_Child: _PyEval_ReInitThreads comes before
 * _PyRuntimeState_ReInitThreads). Python's own threads take that lock with the
 * GIL held, as os.fork() is called; we must take it without, to make our first
 * thread state. A fork in that moment would leave a child that waits for ever.
 *
 * glibc runs prepare handlers before it forks, under a lock that registration
 * takes as well: a fork under way is over when fork_guard_up() returns, a new
 * one waits in our handler until fork_guard_down(). Microseconds; the
 * handler's thread has the GIL meanwhile, so what is guarded must not want it.
 * Without glibc's functions (musl) nothing is guarded.
 */
#ifndef NOPDB_AGENT_FORK_GUARD_H
#define NOPDB_AGENT_FORK_GUARD_H

typedef int fork_register(void (*prepare)(void), void (*parent)(void),
			  void (*child)(void), void *owner);
typedef void fork_finalize(void *owner);

/* __register_atfork and __cxa_finalize of the target's C library, or NULL. */
void fork_guard_use(fork_register *registers, fork_finalize *finalizes);

void fork_guard_up(void);
void fork_guard_down(void);

#endif
