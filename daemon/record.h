/* SPDX-License-Identifier: MIT */
/*
 * record: the envelope around what a target wrote, and the records that the
 * daemon writes itself. The body comes out of another process: record_check
 * must have passed it before record_line forwards its bytes.
 */
#ifndef NOPDB_DAEMON_RECORD_H
#define NOPDB_DAEMON_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/json_write.h"
#include "proto/limits.h"
#include "proto/ring.h"

/* Room for a record's line: body, envelope, newline. */
#define RECORD_LINE (LIMIT_RECORD + 1024u)

struct record_head {
	const char *event;
	const char *target; /* "PID.STARTTIME" */
	pid_t pid;
	uint32_t probe; /* 0: not about one probe */
	uint64_t seq;	/* 0: not counted */
};

/* Is the body one JSON object that stays within the limits and leaves the
 * envelope's names alone? Returns NULL, else the reason. */
const char *record_check(const char *body, size_t length);

/* Copies a top-level string member of a checked body; the empty string when it
 * is absent, no string, or too long. */
void record_string(const char *body, size_t length, const char *name, char *buf,
		   size_t size);

/* Writes the members of a checked body into the object that is open. */
void record_splice(struct json_writer *w, const char *body, size_t length);

/* The event of a ring record; NULL when the kind carries none. */
const char *record_event(enum ring_kind kind);

/* Writes the envelope's members into the object that is open. */
void record_head_write(struct json_writer *w, const struct record_head *head);

/* Writes the notification's line, newline included, for a checked body.
 * Returns its length, 0 when it does not fit. */
size_t record_line(char *buf, size_t size, const struct record_head *head,
		   const char *body, size_t body_length);

#endif
