/* SPDX-License-Identifier: MIT */
/*
 * control: the daemon's end of one agent's control socket. Sends frames,
 * matches answers to what was asked, and notices when the agent is gone or
 * says what no agent of ours says. Loop thread only. Embedded in its owner,
 * who must stay until `closed` was called back from control_close.
 */
#ifndef NOPDB_DAEMON_CONTROL_H
#define NOPDB_DAEMON_CONTROL_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "proto/error.h"
#include "proto/frame.h"

struct control;

/* Called exactly once per control_ask: with the answer, or with an error (the
 * agent's own, or that it is gone). */
typedef void control_done(struct control *control, void *arg,
			  const struct frame *answer, const struct error *err);

struct control_events {
	/* A PONG: counters of `count` probes, unaligned in the frame. */
	void (*pong)(struct control *control, const struct frame *frame);
	/* DEBUG: a thread stops; fd is the owner's. */
	void (*debug)(struct control *control, const struct frame *frame,
		      int fd);
	/* LEAVING that nobody asked for: the agent goes by itself. */
	void (*leaving)(struct control *control, const struct frame *frame);
	/* The socket ended (broken false), or the agent broke the protocol. */
	void (*ended)(struct control *control, bool broken, const char *why);
	/* The handle is closed: the control's memory may go. */
	void (*closed)(struct control *control);
};

struct control_exchange;
struct control_packet;

struct control {
	uv_poll_t poll;
	int fd; /* owned; -1 once closed */
	const struct control_events *events;
	void *owner;
	TAILQ_HEAD(, control_exchange) exchanges;
	TAILQ_HEAD(, control_packet) queue;
	size_t queued; /* bytes */
	uint32_t next_id;
	unsigned unanswered; /* heartbeats since the last frame */
	bool ended;	     /* the owner was told */
};

/* Takes the socket over and starts to read. On failure the socket is closed
 * and no event will come. */
int control_open(struct control *control, uv_loop_t *loop, int fd,
		 const struct control_events *events, void *owner,
		 struct error *err) NOPDB_CHECKED;

/* Sends a request whose answer is of type `expect`; done is called later, never
 * from within. Failing means that done will not be called. fds (two)
 * go along as SCM_RIGHTS, only on a socket with nothing queued. */
int control_ask(struct control *control, enum frame_type type,
		enum frame_type expect, const void *payload, uint32_t length,
		control_done *done, void *arg, struct error *err) NOPDB_CHECKED;
int control_ask_with_fds(struct control *control, enum frame_type type,
			 enum frame_type expect, const void *payload,
			 uint32_t length, const int *fds, control_done *done,
			 void *arg, struct error *err) NOPDB_CHECKED;

/* Sends what has no answer. A failure shows as the socket's end. */
void control_tell(struct control *control, enum frame_type type,
		  const void *payload, uint32_t length);

/* Sends a heartbeat, unless earlier frames still wait, and counts it. */
void control_ping(struct control *control);

/* Takes in what arrived already, before the loop comes to it. */
void control_catch_up(struct control *control);

/* Does a request wait for its answer? */
bool control_waits(const struct control *control);

/* Closes the socket and fails every request that waits with `reason`.
 * Idempotent; `closed` follows from the loop. */
void control_close(struct control *control, const struct error *reason);

#endif
