/* SPDX-License-Identifier: MIT */
/*
 * session: one client: its socket, the requests it waits for, what it is sent.
 * Loop thread only. Freed in the close callback of its socket; nothing refers
 * to it after session_close (its calls are orphaned, its probes ended or alone,
 * its holds released).
 */
#ifndef NOPDB_DAEMON_SESSION_H
#define NOPDB_DAEMON_SESSION_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/arrears.h"
#include "daemon/call.h"
#include "daemon/grant.h"
#include "daemon/line_buffer.h"
#include "daemon/outbox.h"
#include "daemon/peer.h"
#include "daemon/subscription.h"

struct daemon;
struct target;

struct session {
	TAILQ_ENTRY(session) entry;
	struct daemon *daemon;
	uint64_t serial; /* never used twice in this daemon */
	uv_pipe_t pipe;
	uv_write_t write;
	char *writing; /* what the write under way sends */
	struct peer peer;
	struct line_buffer in;
	struct outbox out;
	struct arrears arrears;
	struct subscriptions subscriptions;
	struct call_list calls;
	unsigned call_count;
	uint64_t since_ns; /* its connection */
	bool paused;	   /* not read while its calls fill the budget */
	bool asked;	   /* a whole line came */
	struct grant_list grants;
	struct call_list gate; /* calls that wait for their turn */
	bool asking;	       /* the first of them is being asked about */
	bool ending;	/* sends no more; finish when the gate is empty */
	bool listed;	/* in the daemon's list */
	bool finishing; /* reads no more; close when all is sent */
	bool released;	/* its probes and holds are given up */
	bool hopeless;	/* to be closed as soon as nobody looks at it */
};

/* Accepts one connection; a peer that may not connect is told so. */
void session_accept(struct daemon *daemon, uv_stream_t *server);

/* Queues the line of an answer, or of a record that may not be dropped. */
void session_send(struct session *session, const char *line, size_t length);

/* Queues the line of a capture of this probe, or counts it as lost. */
void session_send_capture(struct session *session, uint32_t probe,
			  const char *line, size_t length);

/* Records of a probe that this client did not get. */
uint64_t session_lost(const struct session *session, uint32_t probe);

/* The probe ends: reports what this client missed, and forgets it. */
void session_probe_ends(struct session *session, uint32_t probe);

/* The daemon holds too much: closes the client that lets the most wait, if any
 * lets more wait than it could. */
void session_shed(struct daemon *daemon);

/* Starts to write what was queued; called before the loop blocks. */
void session_flush(struct session *session);

/* Gives up what the client holds, reads no more, closes when all is sent. */
void session_finish(struct session *session);

/* Closes at once. Idempotent. */
void session_close(struct session *session);

/* For call.c. */
void session_add_call(struct session *session, struct call *call);
void session_remove_call(struct session *session, struct call *call);

#endif
