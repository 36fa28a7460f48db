/* SPDX-License-Identifier: MIT */
/*
 * call: calls in flight, from entry to return. The engine reports the life of
 * each call of an armed code object; here entry and end are paired (the frame
 * pointer is the key: 4023 of 4023 right over recursion, threads, generators
 * that move between threads), arguments are rendered at entry, and the record
 * is written at the end.
 *
 * GIL held. Never leaves an error indicator, keeps one that is set.
 * Bounded: a call that finds no room is counted in lost_ring.
 *
 * call_return and call_raise may give up the GIL as the last thing they do:
 * the struct code is not to be used afterwards.
 */
#ifndef NOPDB_AGENT_CALL_H
#define NOPDB_AGENT_CALL_H

#include "agent/code.h"

/* A call starts: a function's entry, or a generator's or coroutine's first
 * resumption. An older entry with the same frame pointer ended unseen and is
 * dropped. */
void call_begin(struct code *code, void *frame);

/* It yields or awaits, and goes on: not a return. value: what it hands out, as
 * the interpreter has it (borrowed); probes that want yields record it. */
void call_suspend(struct code *code, void *frame, struct object *value);
void call_resume(struct code *code, void *frame);

/* It ends. A call without an entry began before the probe was set and is
 * captured with "began":"before". value is borrowed. For call_raise, type may
 * be NULL (3.12+: value is the exception, which knows its traceback); on <=
 * 3.11 value may be NULL or not yet an instance; both NULL: which exception is
 * not known. */
void call_return(struct code *code, void *frame, struct object *value);
void call_raise(struct code *code, void *frame, struct object *type,
		struct object *value, struct object *traceback);

/* The frame went away without an end that we should report. */
void call_forget(void *frame);

/* Drops every entry of a probe (it is being removed), or all. */
void call_drop_probe(struct probe *probe);
void call_drop_all(void);

int call_init(void); /* -1: no memory */

#endif
