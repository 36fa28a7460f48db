/* SPDX-License-Identifier: MIT */
/*
 * control: the agent's end of the control socket, one frame per datagram.
 * Used by the control thread only, without the GIL. A daemon that does not
 * read cannot hold the agent for longer than CONTROL_SEND_MS per frame.
 */
#ifndef NOPDB_AGENT_CONTROL_H
#define NOPDB_AGENT_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/frame.h"

enum {
	CONTROL_FDS = 2, /* a frame may bring: ring, eventfd */
	CONTROL_SEND_MS = 2000,
};

enum control_result {
	CONTROL_FRAME,	   /* a frame is there */
	CONTROL_SILENCE,   /* nothing came in time */
	CONTROL_END,	   /* the daemon is gone */
	CONTROL_MALFORMED, /* what came is not a frame; see reason */
};

/* What one receive brought; the payload is valid until the next. The fds
 * belong to the caller, -1 where there is none. */
struct control_input {
	struct frame frame;
	int fds[CONTROL_FDS];
	const char *reason;
};

/* Takes the socket over. */
void control_init(int fd);
void control_release(void);

/* Is there something to receive within timeout_ms? */
bool control_wait(unsigned timeout_ms);

/* Waits for the next frame, timeout_ms at most. */
enum control_result control_receive(struct control_input *ret_input,
				    unsigned timeout_ms);

/* Closes what came with a frame. */
void control_close_fds(struct control_input *in);

/* Sends one frame; -1 when the daemon does not take it. */
int control_send(enum frame_type type, uint32_t id, const void *payload,
		 uint32_t length);
/* Sends one without an id and with a descriptor. From any thread. */
int control_send_fd(enum frame_type type, const void *payload, uint32_t length,
		    int fd);
int control_send_error(uint32_t id, const struct frame_error *err);

#endif
