/* SPDX-License-Identifier: MIT */
/*
 * debug: threads of a target that wait in pdb. The text goes between the
 * agent's socket (FRAME_DEBUG) and the client that owns the probe, and to
 * nobody else: `debug` records one way, debug.input requests the other. Bounded
 * both ways: what the agent does not read is refused, a client that does not
 * read ends its session. A session that ends, whyever, lets the thread go on.
 *
 * record: session; state "open", "output" with text, "closed" with reason:
 * continue, quit, time-out, lost, removed, slow-client.
 *
 * Loop thread only.
 */
#ifndef NOPDB_DAEMON_DEBUG_H
#define NOPDB_DAEMON_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"
#include "proto/frame.h"

struct probe;
struct session;
struct target;

/* A thread stops. Takes the socket over. */
void debug_open(struct target *target, const struct frame *frame, int fd);

/* Ends those of a probe, or all of a target. */
void debug_end_probe(struct probe *probe);
void debug_end_all(struct target *target);

/* Is a thread stopped by this probe? */
bool debug_holds(const struct probe *probe);

/* Passes one line on; text NULL: the end of input. Fails with NO_PROBE when no
 * such session is this client's, with LIMIT when the program does not read. */
int debug_input(struct probe *probe, const struct session *client,
		uint32_t session, const char *text,
		struct error *err) NOPDB_CHECKED;

#endif
