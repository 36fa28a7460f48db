/* SPDX-License-Identifier: MIT */
/*
 * fault: how agent code says what went wrong: the struct that goes to the
 * daemon as FRAME_ERROR, filled without printf.
 */
#ifndef NOPDB_AGENT_FAULT_H
#define NOPDB_AGENT_FAULT_H

#include "proto/error.h"
#include "proto/frame.h"

/* Sets the message to text followed by detail; err may be NULL. Returns -1. */
int fault_set(struct frame_error *err, enum error_code code, const char *text,
	      const char *detail);

/* What the user can do about it. Returns -1. */
int fault_remedy(struct frame_error *err, const char *text);

/* FINALIZING: gil_take() or gil_pause() failed. Returns -1. */
int fault_finalizing(struct frame_error *err);

#endif
