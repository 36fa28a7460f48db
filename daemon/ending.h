/* SPDX-License-Identifier: MIT */
/*
 * ending: how the process of a target ended, as `target_exit` tells it. Loop
 * thread only.
 */
#ifndef NOPDB_DAEMON_ENDING_H
#define NOPDB_DAEMON_ENDING_H

#include <stdbool.h>

struct target;

/* Does another program run under the target's id since it was entered? */
bool ending_by_exec(const struct target *target);

/* Tells all who hold the target, and the log, how it ended; nobody holds it
 * afterwards. */
void ending_tell(struct target *target);

#endif
