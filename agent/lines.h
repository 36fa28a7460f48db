/* SPDX-License-Identifier: MIT */
/*
 * lines: what a location resolves to at this moment, and on which lines its
 * code has instructions. Nothing is set. Control thread, GIL held.
 */
#ifndef NOPDB_AGENT_LINES_H
#define NOPDB_AGENT_LINES_H

#include "agent/python.h"
#include "proto/frame.h"
#include "proto/json_write.h"
#include "proto/probe_spec.h"

/* Writes {"locations":[{"function","file","line","lines":[..]}..],
 * "truncated":true}; at most LIMIT_LOCATIONS, as many as fit. With a line (a
 * PROBE_BREAK) only the code that has it, with "stops":[..]: where a breakpoint
 * would; without any, "nearest":[..] are the lines around it that have code.
 * function: the only one that is asked for; NULL: the location. */
int lines_write(const struct probe_spec *spec, struct object *function,
		struct json_writer *w, struct frame_error *err);

#endif
