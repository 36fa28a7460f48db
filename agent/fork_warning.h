/* SPDX-License-Identifier: MIT */
/*
 * fork_warning: from 3.12 on os.fork() warns where the process has more than
 * one thread, by the kernel's count. Ours makes two of one, and that is not to
 * be held against the program: on its stderr, or, with -W error, in an
 * exception of os.fork() (3.15).
 *
 * So a program of one thread gets filters of warnings for its next fork, and
 * the warning that it deserves once it has another. The filters are objects of
 * Python alone: nobody who copies them (catch_warnings) has anything of ours.
 */
#ifndef NOPDB_AGENT_FORK_WARNING_H
#define NOPDB_AGENT_FORK_WARNING_H

#include <stdbool.h>

/* All but fork_warning_due() under the GIL. */

/* Once the Python part is there; does nothing before 3.12. */
void fork_warning_begin(void);

/* On the thread that has just forked: puts the filters in. Needs no lock but
 * the GIL, and runs no code of the program. */
void fork_warning_hush(void);

/* Takes them out, if they are in. */
void fork_warning_settle(void);

/* Are they in for longer than os.fork() takes? From any thread. */
bool fork_warning_due(void);

/* Takes them out for good. */
void fork_warning_end(void);

#endif
