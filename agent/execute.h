/* SPDX-License-Identifier: MIT */
/*
 * execute: the actions that change a frame: statements that rebind its
 * variables, and jumps. The program's thread, GIL held and given up; see
 * agent/hit.h. Each answers a new reference, NULL with an exception.
 */
#ifndef NOPDB_AGENT_EXECUTE_H
#define NOPDB_AGENT_EXECUTE_H

#include "agent/expression.h"

/* Runs statements. Variables that they rebind or delete are changed in the
 * frame, also when they end with an exception; names that are new stay in the
 * scope, for the actions that follow. */
struct object *execute_code(struct scope *scope, struct object *code);

/* Moves the frame to a line: "12", "+3" from the def, or its text. */
struct object *execute_jump(struct scope *scope, struct object *target);

/* Calls the function that a str names with the frame: its result. The module is
 * one that the program has imported; none is imported here. */
struct object *execute_callback(struct scope *scope, struct object *target);

#endif
