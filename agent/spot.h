/* SPDX-License-Identifier: MIT */
/*
 * spot: which lines of a code object a breakpoint means. Runs no code of the
 * program, so it can be asked for code that starts just now. GIL held.
 */
#ifndef NOPDB_AGENT_SPOT_H
#define NOPDB_AGENT_SPOT_H

#include "agent/code.h"
#include "agent/probe.h"

enum { SPOT_LINES = 64 }; /* of one probe in one code object */

/* Writes the lines (0: when a call starts) of a code object that the other
 * parts of the probe's location fit; how many. The line of a def, and the only
 * line of a lambda or a one-line function, mean the call: no line event comes
 * there (cpython gh-155992). Without one, the probe learns the lines nearest
 * to the one that it wants. */
int spot_lines(struct probe *probe, struct object *code,
	       int ret_lines[SPOT_LINES]);

/* The line that a jump within a code object goes to: a number, +N from the
 * def, or the text of a line; 0: none. */
int spot_target(const struct code *code, struct object *target);

#endif
