/* SPDX-License-Identifier: MIT */
/*
 * greenlet: the greenlet that the calling thread runs, {"id":"0x..",
 * "parent":"0x.."}, when the program imported greenlet (gevent does). The main
 * greenlet of a thread has the parent null. Addresses, as "$id" of values.
 *
 * GIL held. Runs no code of the program: greenlet's own C functions are asked,
 * and `parent` not where a class defines it anew.
 */
#ifndef NOPDB_AGENT_GREENLET_H
#define NOPDB_AGENT_GREENLET_H

#include "proto/json_write.h"

/* Writes the member "greenlet", or nothing. */
void greenlet_write(struct json_writer *w);

void greenlet_release(void);

#endif
