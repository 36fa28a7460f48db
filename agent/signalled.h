/* SPDX-License-Identifier: MIT */
/*
 * signalled: Python runs the handler of a signal between two instructions of
 * the main thread, and these may be a condition's or an action's. What it
 * raises there is meant for the program: a time-out by SIGALRM, SystemExit of
 * SIGTERM, KeyboardInterrupt. So it is raised once more, where the program goes
 * on: by a pending call, which Python runs on that thread and in such places.
 */
#ifndef NOPDB_AGENT_SIGNALLED_H
#define NOPDB_AGENT_SIGNALLED_H

#include <stdbool.h>

#include "agent/python.h"

/* Is an exception that code of ours ended with one of these? Then the program
 * gets it. GIL held, no error indicator. */
bool signalled_take(const struct py_error *error);

/* Did the program not get it yet? Until then the agent must stay. */
bool signalled_waits(void);

#endif
