/* SPDX-License-Identifier: MIT */
/*
 * signalled: Python runs the handler of a signal between two instructions of
 * the main thread, and these may be a condition's or an action's. What it
 * raises there is meant for the program: a time-out by SIGALRM, SystemExit of
 * SIGTERM, KeyboardInterrupt. So it is raised once more: where the program
 * goes on, when what a breakpoint runs has ended; else by a pending call, which
 * Python runs on that thread as it runs handlers, between two instructions.
 */
#ifndef NOPDB_AGENT_SIGNALLED_H
#define NOPDB_AGENT_SIGNALLED_H

#include <stdbool.h>

#include "agent/python.h"

/* Is an exception that code of ours ended with one of these? Then the program
 * gets it. GIL held, no error indicator. */
bool signalled_take(const struct py_error *error);

/* At the end of a callback that may raise, the error indicator clear: raises
 * what this thread has still to get, true. */
bool signalled_raise(void);

/* Waits until no pending call is on its way: before, the agent must not be
 * unmapped. False: the main thread did not come by in 2 s. Control thread, GIL
 * held. */
bool signalled_settle(void);

#endif
