/* SPDX-License-Identifier: MIT */
/*
 * live: the objects of a record themselves, for a client of ours that lives in
 * the very process that is probed (nopdb.given of the Python client). They are
 * handed to its function note() as a dict of name and object; the number that
 * it answers goes into the record, and with that the client finds them.
 *
 * note() runs on the program's thread, within the caller's budget, before the
 * record is begun: the GIL may be given up. What it raises goes nowhere.
 */
#ifndef NOPDB_AGENT_LIVE_H
#define NOPDB_AGENT_LIVE_H

#include <stdint.h>

#include "agent/code.h"

/* The first `count` variables of a frame, and a result (or NULL) by the name
 * "return". 0: nobody took them. GIL held, no error indicator set. */
uint64_t live_note(const struct code *code, void *frame, int count,
		   struct object *result);

#endif
