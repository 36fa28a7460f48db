/* SPDX-License-Identifier: MIT */
/*
 * fork_guard: a child of fork() has one thread, and what the others held at the
 * fork is held for ever. So no fork() of the program happens while our thread
 * holds what a child may ask for: the GIL, its inner mutex, the lock of the
 * thread states.
 *
 * os.fork() holds the GIL and makes most of it anew in the child
 * (PyOS_AfterFork_Child); up to 3.11 not in time for the lock of the thread
 * states, which gil.c therefore takes with the GIL alone. A fork in C, with or
 * without the GIL, makes nothing anew: it waits in glibc's prepare handler, for
 * as long as we are on our way through the interpreter; and we do not enter
 * that while a fork is under way. A wait has an end, in case the one that
 * forks holds what we want, or our thread has no CPU: then the fork goes on.
 * Who forks with the GIL does not wait for us to get it. What we leave in its
 * lock, and in that of the thread states, is cleared in the child (gil_lock.h,
 * states_lock.h).
 *
 * Without glibc's functions (musl), and for children made by vfork, _Fork or a
 * bare system call, nothing is guarded.
 */
#ifndef NOPDB_AGENT_FORK_GUARD_H
#define NOPDB_AGENT_FORK_GUARD_H

#include <stdbool.h>

typedef int fork_register(void (*prepare)(void), void (*parent)(void),
			  void (*child)(void), void *owner);
typedef void fork_finalize(void *owner);

/* How far into the interpreter the control thread is. */
enum fork_step {
	FORK_OUT,    /* nothing of it is ours */
	FORK_NEW,    /* making a thread state, without the GIL */
	FORK_TAKING, /* waiting for the GIL */
	FORK_INSIDE, /* the GIL is ours, or being given up */
};

/* __register_atfork and __cxa_finalize of the target's C library, or NULL. */
void fork_guard_use(fork_register *registers, fork_finalize *finalizes);

/* The control thread, without the GIL: puts the handlers in, once. orphaned is
 * called in each child. */
void fork_guard_begin(void (*orphaned)(void));

/* The same, at the end; false: a handler may still be entered, the agent must
 * stay mapped. Takes a millisecond. */
bool fork_guard_end(void);

/* The control thread: from FORK_OUT waits for forks that are under way. */
void fork_guard_step(enum fork_step next);

#endif
