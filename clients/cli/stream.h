/* SPDX-License-Identifier: MIT */
/*
 * stream: records as they arrive: printed, and counted for the exit status.
 * Owned by the verb; becomes the record callback of the session's rpc.
 */
#ifndef NOPDB_CLI_STREAM_H
#define NOPDB_CLI_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/cli/render.h"
#include "clients/cli/session.h"
#include "clients/cli/source.h"

struct stream_probe {
	uint32_t id;
	bool ended;
};

struct debugger;

struct stream {
	struct session *session;
	struct render render;
	struct source source;	     /* with --source */
	struct stream_probe *probes; /* owned; those we wait for */
	size_t count;
	size_t size;
	uint64_t captures; /* records of calls that arrived */
	uint64_t hits;	   /* of the probes that ended */
	uint64_t lost;
	uint64_t lost_told; /* by `lost` records, before any end */
	bool target_exited;
	bool agent_lost;
	bool failed;		   /* out of memory, or not a record */
	struct debugger *debugger; /* borrowed; NULL: none is wanted */
};

/* probes: at most this many are waited for; 0 for a stream of anything.
 * -1 without memory. */
int stream_init(struct stream *stream, struct session *session,
		size_t probes) NOPDB_CHECKED;
void stream_release(struct stream *stream);

/* This probe's end is to be waited for. */
void stream_expect(struct stream *stream, uint32_t probe);

/* Has every expected probe ended? */
bool stream_ended(const struct stream *stream);

/* Reads records until every expected probe ended (or, without any, for ever),
 * the process is interrupted, or stdout is gone. -1 with session->err. */
int stream_run(struct stream *stream) NOPDB_CHECKED;

/* Reads what is left until every expected probe ended, at most timeout_ms,
 * interrupted or not. */
int stream_drain(struct stream *stream, int timeout_ms) NOPDB_CHECKED;

/* 7 when records were lost, 8 when the target ended, 0 with captures, else
 * 1. */
int stream_status(const struct stream *stream);

#endif
