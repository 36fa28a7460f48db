/* SPDX-License-Identifier: MIT */
/*
 * interpreters: those that share the process with the main one. Probes apply
 * to all of them on <= 3.11, where one GIL keeps them together: those that are
 * there when the agent comes, when a probe is set, and those that are made
 * later, within a second or so. On 3.12+ sys.monitoring is each interpreter's
 * own, and theirs may have a GIL of its own, under which the agent's memory is
 * not safe: the others are not watched, and the state of a probe says so.
 *
 * As the member of a probe's state, when there is more than the main one:
 *
 *   "interpreters":[{"id":0,"watched":true},{"id":1,"watched":true}..]
 *   "interpreters":[{"id":0,"watched":true},{"watched":false,"reason":".."}]
 */
#ifndef NOPDB_AGENT_INTERPRETERS_H
#define NOPDB_AGENT_INTERPRETERS_H

#include <stdbool.h>

#include "proto/json_write.h"

enum { INTERPRETERS_ROOM = 2048 }; /* of interpreters_write() at most */

/* Was one made since the last look? Without the GIL; one that was made and
 * ended in between may be missed. */
bool interpreters_changed(void);

/* Hooks those that are new, where the engine can. GIL held. */
void interpreters_reach(void);

/* The same, and tells the probes that are set. GIL held. */
void interpreters_follow(void);

/* Writes the member, or nothing. GIL held. */
void interpreters_write(struct json_writer *w);

#endif
