/* SPDX-License-Identifier: MIT */
/*
 * stack_record: a picture of a process's stacks as the members of a record
 * (event "stack"). Frames innermost last, addresses as hexadecimal strings.
 */
#ifndef NOPDB_DAEMON_STACK_RECORD_H
#define NOPDB_DAEMON_STACK_RECORD_H

#include "injector/stack/stack.h"
#include "proto/json_write.h"
#include "proto/redact.h"

/* A picture, when it was taken, and what is withheld of its variables. */
struct stack_record {
	const struct stack_picture *picture;
	uint64_t time_ns; /* since the epoch */
	struct redaction redaction;
};

/* An rpc_render: arg is a struct stack_record. */
void stack_record_render(struct json_writer *w, const void *arg);

/* The member "locals" of a frame, if it has some; stack_locals.c. */
void stack_locals_render(struct json_writer *w,
			 const struct redaction *redaction,
			 const struct stack_frame *frame);

#endif
