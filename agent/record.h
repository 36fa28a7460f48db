/* SPDX-License-Identifier: MIT */
/*
 * record: the members of one record, assembled in a buffer of the agent's and
 * put into the ring; rings the daemon's eventfd when it sleeps.
 */
#ifndef NOPDB_AGENT_RECORD_H
#define NOPDB_AGENT_RECORD_H

#include "agent/code.h"
#include "agent/probe.h"
#include "proto/json_write.h"
#include "proto/ring.h"

/* How a call ended. */
struct call_end {
	const char *arguments; /* JSON object text; NULL: began before */
	size_t arguments_length;
	uint64_t start, end;  /* CLOCK_MONOTONIC ns; start 0: unknown */
	uint64_t suspensions; /* since the start, when that is known */
	uint64_t live;	      /* live_note() of the arguments, or 0 */
	bool cut;	      /* the arguments were */
	bool raised;
	struct object *value; /* returned, or the exception's; may be NULL */
	/* Of the exception, <= 3.11: */
	struct object *type, *traceback;
};

/* Maps the ring and keeps the eventfd; takes both fds (closes the memfd). */
int record_init(int ring_fd, int event_fd, uint32_t ring_size);
void record_release(void);

/* Has the ring's memory made now, by this thread: a hit that came first to a
 * page would wait for it (0.3 to 40 us, the most on virtual machines). The
 * first MiB, which is all that most probes ever fill (0.7 ms). Once;
 * the control thread, without the GIL. */
void record_warm(void);

/* Closes the eventfd and nothing else: for a child, which has no ring. */
void record_close(void);

/* Sends the records to another ring of this process; returns the one before.
 * For the self-test. GIL held. */
struct ring *record_divert(struct ring *ring);

/* Writes the arguments of a call that starts into w as one JSON object. */
void record_arguments(struct json_writer *w, const struct code *code,
		      void *frame, const struct probe_limits *limits);

/* Writes a `call` record; counts what is lost in the probe. True: written. */
bool record_call(struct probe *probe, const struct code *code, void *frame,
		 const struct call_end *end);

/* Writes a `yield` record of a generator that goes on: value is borrowed.
 * suspensions: this one included, 0 when not known. True: written. */
bool record_yield(struct probe *probe, const struct code *code, void *frame,
		  struct object *value, uint64_t suspensions);

/* Puts ready members (JSON object text) of another kind into the ring. */
bool record_put(enum ring_kind kind, uint32_t probe, const char *text,
		size_t length);

#endif
