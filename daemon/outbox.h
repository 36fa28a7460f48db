/* SPDX-License-Identifier: MIT */
/*
 * outbox: the bounded queue of lines that wait for one client. Pure memory.
 *
 * Captures are dropped once LIMIT_CLIENT_QUEUE bytes wait, or fewer when the
 * daemon's budget is short, so that a slow client costs a bounded amount and
 * loses records instead of slowing others.
 * Answers and the few records that tell a probe's life are never dropped: they
 * have as much room again, and a client that lets that fill up is hopeless.
 *
 * Lines are gathered in one block, taken as a whole for one write at a time.
 */
#ifndef NOPDB_DAEMON_OUTBOX_H
#define NOPDB_DAEMON_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/budget.h"
#include "proto/limits.h"

#define OUTBOX_HARD_LIMIT ((size_t)LIMIT_CLIENT_QUEUE + LIMIT_ANSWER)

struct outbox {
	char *data;
	size_t capacity;
	size_t used;
	size_t in_flight;      /* taken and not yet written */
	struct budget *budget; /* of all clients, borrowed; NULL: none */
};

enum outbox_put {
	OUTBOX_QUEUED,
	OUTBOX_DROPPED,	 /* a record, over the soft limit */
	OUTBOX_OVERFLOW, /* over the hard limit, or no memory: give up */
};

void outbox_init(struct outbox *outbox);
void outbox_release(struct outbox *outbox);

/* Bytes that wait, the write in flight included. */
size_t outbox_size(const struct outbox *outbox);

/* Queues a line that may be dropped, or one that may not. */
enum outbox_put outbox_put_record(struct outbox *outbox, const char *line,
				  size_t length);
enum outbox_put outbox_put_answer(struct outbox *outbox, const char *line,
				  size_t length);

/* Hands all queued bytes to the caller, who frees them after the write and then
 * calls outbox_written. NULL when nothing waits or a write is in flight. */
char *outbox_take(struct outbox *outbox, size_t *ret_length);
void outbox_written(struct outbox *outbox);

/* May captures that were dropped be reported now: is the queue half empty? */
bool outbox_recovered(const struct outbox *outbox);

#endif
