/* SPDX-License-Identifier: MIT */
/*
 * expression: an expression of a probe, compiled once, and bound to a code
 * object as a function of those of its names that are variables there, so that
 * evaluating it costs no more than a call (53-75 ns on 3.12+) and what is
 * nested in it (a lambda, a comprehension) sees the variables too.
 *
 * GIL held. expression_compile runs on the control thread; binding and
 * evaluating on the program's, where all of the program's code may run: the
 * GIL may be given up.
 */
#ifndef NOPDB_AGENT_EXPRESSION_H
#define NOPDB_AGENT_EXPRESSION_H

#include <stdbool.h>

#include "agent/code.h"
#include "agent/plain.h"
#include "proto/error.h"

struct expression {
	struct object *text;  /* a str */
	struct object *names; /* a tuple of str: what it may look up */
	struct plain *plain;  /* owned, when C can answer it; else NULL */
};

/* An expression in one code object. Zeroed: not bound yet. */
struct binding {
	struct object *function; /* held */
	struct object *globals;	 /* held by the function */
	short *index; /* of code->variables, one for each parameter */
	int count;
	struct plain_binding plain;
};

/* A frame in which expressions are evaluated. */
struct scope {
	const struct code *code;
	void *frame;
	struct object *globals; /* held by the caller */
	struct object *locals;	/* namespace of code that is not optimized, or
				 * what exec left; may be NULL */
};

/* Checks and takes a text. -1 with `error`, and with the interpreter's words
 * and the column. */
int expression_compile(struct expression *expression, const char *text,
		       enum error_code error, struct frame_error *err);
void expression_release(struct expression *expression);

/* Its value in a frame: a new reference, or NULL with the error indicator. */
struct object *expression_value(const struct expression *expression,
				struct binding *binding,
				const struct scope *scope);

/* Is it true, when that can be said without the interpreter? 1, 0, or -1. */
int expression_plain_truth(const struct expression *expression,
			   struct binding *binding, const struct scope *scope);

void binding_release(struct binding *binding);

/* A function of agent/python called with some objects, whose references
 * it takes: a new reference, NULL with or without an error indicator. */
struct object *expression_call(const char *name, int count,
			       struct object *const *item);

/* A new str. */
struct object *expression_text(const char *text);

/* Says why a text does not compile; drops the answer. Returns -1. */
int expression_refuse(struct object *answer, enum error_code error,
		      struct frame_error *err);

#endif
