/* SPDX-License-Identifier: MIT */
/*
 * frame: what daemon and agent say to each other over the control socket
 * (AF_UNIX, SOCK_SEQPACKET: one frame is one datagram of at most LIMIT_FRAME).
 *
 * Pure functions over memory, shared by both sides; the agent runs them
 * without a C library. Neither side trusts the other's lengths.
 *
 * Requests carry a non-zero id; the answer repeats it. The daemon speaks
 * first (START, with the ring's memfd and the eventfd as SCM_RIGHTS, in that
 * order) and then pings; the agent leaves when it hears nothing for
 * frame_start.silence_ms, or when the socket ends.
 */
#ifndef NOPDB_PROTO_FRAME_H
#define NOPDB_PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

#define FRAME_MAGIC 0x6e70u /* "pn" */

enum frame_type {
	/* daemon to agent */
	FRAME_START = 1,     /* struct frame_start + 2 fds; answer READY */
	FRAME_PING,	     /* empty; answer PONG */
	FRAME_PROBE_ADD,     /* probe_spec; answer PROBE_STATE or ERROR */
	FRAME_PROBE_REMOVE,  /* u32 probe; answer PROBE_REMOVED or ERROR */
	FRAME_PROBE_ENABLE,  /* u32 probe; answer PROBE_STATE or ERROR */
	FRAME_PROBE_DISABLE, /* u32 probe; answer PROBE_STATE or ERROR */
	FRAME_LINES,	     /* probe_spec; answer LINES or ERROR */
	FRAME_LEAVE,	     /* empty; answer LEAVING, then the socket ends */
	FRAME_EVALUATE = 9,  /* struct frame_evaluate, probe_spec; answer VALUE,
			      * other answers may come before; or ERROR */
	FRAME_PROBE_ACTIONS, /* probe_spec; answer PROBE_STATE or ERROR */

	FRAME_DEBUG_OVER = 16, /* u32 session: it ended; no answer */

	/* agent to daemon */
	FRAME_READY = 64,    /* JSON: {"python":"3.11.7","engine":"..."} */
	FRAME_PONG,	     /* struct probe_stats[] */
	FRAME_PROBE_STATE,   /* JSON: {"state":..,"locations":[..]} */
	FRAME_PROBE_REMOVED, /* struct probe_stats; no record of it follows */
	FRAME_LINES_ANSWER,  /* JSON: {"locations":[{..,"lines":[..]}]} */
	FRAME_ERROR,	     /* struct frame_error */
	FRAME_LEAVING,	     /* u32 enum boot_leave; probes are gone */
	FRAME_VALUE = 71,    /* JSON: {"time":..,"value":..} */
	FRAME_DEBUG = 80,    /* struct frame_debug + its socket; no answer */
};

struct frame_header {
	uint16_t magic;
	uint16_t type;
	uint32_t id;
	uint32_t length;   /* of the payload */
	uint32_t reserved; /* 0 */
};

#define FRAME_PAYLOAD (LIMIT_FRAME - sizeof(struct frame_header))

struct frame_start {
	uint32_t version; /* NOPDB_AGENT_ABI */
	uint32_t silence_ms;
	uint32_t ring_size; /* data bytes; the memfd holds a page more */
	uint32_t reserved;
};

/* Followed by a probe_spec of kind PROBE_BREAK: its only action, eval or exec,
 * is what is evaluated, in the globals of its location's module. */
struct frame_evaluate {
	uint32_t time_ms; /* 1 .. LIMIT_EVALUATION_MS */
	uint32_t keep;	  /* 1: what it prints is part of the answer */
};

struct frame_error {
	int32_t code;	   /* enum error_code */
	char message[256]; /* NUL-terminated within */
	char remedy[256];
};

/* A probe's counters, as the agent sees them. */
struct probe_stats {
	uint32_t probe;
	uint32_t locations;  /* code objects armed */
	uint64_t hits;	     /* calls seen that the limits let in */
	uint64_t captures;   /* records written */
	uint64_t lost_ring;  /* ring full */
	uint64_t lost_rate;  /* over the rate */
	uint64_t lost_size;  /* larger than LIMIT_RECORD even when cut */
	uint32_t lost_calls; /* no room for a call in flight */
	uint32_t cut;	     /* records of which a part was cut */
};

/* A thread waits in a debugger, whose text goes over the socket that comes
 * along (SOCK_SEQPACKET). To the daemon: 'o' and up to LIMIT_DEBUG bytes of
 * output, or 'e' and the reason why it ends. To the agent: lines of input. Its
 * end, either way, ends the session. */
struct frame_debug {
	uint32_t probe;
	uint32_t session; /* of this agent; not 0 */
};

struct frame {
	enum frame_type type;
	uint32_t id;
	const void *payload; /* into the decoded buffer */
	uint32_t length;
};

/* Writes header and payload to buf; returns the frame's size, 0 when it does
 * not fit. payload may be NULL when length is 0. */
size_t frame_encode(void *buf, size_t size, enum frame_type type, uint32_t id,
		    const void *payload, uint32_t length);

/* Checks a received datagram. Returns NULL and fills *ret_frame, else the
 * reason why it is not a frame. The payload's content is not checked, but a
 * payload of fixed form has at least its size. */
const char *frame_decode(const void *buf, size_t size, struct frame *ret_frame);

#endif
