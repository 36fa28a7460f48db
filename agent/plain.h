/* SPDX-License-Identifier: MIT */
/*
 * plain: expressions that C answers without the interpreter. Most conditions
 * compare a variable with a constant: for None, bool, int, float and str that
 * runs no code of anybody's, so it needs no function, no budget and no ration,
 * and costs a tenth. An expression of nothing but variables, constants,
 * comparisons, `and`, `or`, `not`, `is`, + - * // % is made into operations of
 * a machine with a stack (plain_parse.c); what it cannot answer exactly as
 * Python does (other types, ints beyond 64 bits, a variable without a value, a
 * division by zero) is left to the interpreter.
 *
 * GIL held, and never given up. Leaves no error indicator. Owns nothing.
 */
#ifndef NOPDB_AGENT_PLAIN_H
#define NOPDB_AGENT_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code;
struct object;

enum {
	PLAIN_STEPS = 40,
	PLAIN_NAMES = 6,
	PLAIN_CONSTANTS = 6,
	PLAIN_TEXT = 160, /* of names and strings */
};

enum plain_operation {
	PLAIN_NAME,	/* of names[argument] */
	PLAIN_CONSTANT, /* constants[argument] */
	PLAIN_NOT,
	PLAIN_MINUS,
	PLAIN_ADD, /* from here on: of two values */
	PLAIN_SUBTRACT,
	PLAIN_MULTIPLY,
	PLAIN_DIVIDE, /* // */
	PLAIN_MODULO,
	PLAIN_LESS,
	PLAIN_LESS_EQUAL,
	PLAIN_GREATER,
	PLAIN_GREATER_EQUAL,
	PLAIN_EQUAL,
	PLAIN_NOT_EQUAL,
	PLAIN_IS,
	PLAIN_IS_NOT,
	PLAIN_AND, /* of truths alone */
	PLAIN_OR,
};

enum plain_kind {
	PLAIN_NONE,
	PLAIN_BOOL,
	PLAIN_INT,
	PLAIN_FLOAT,
	PLAIN_STR,   /* a constant: ASCII, text[integer], NUL-terminated */
	PLAIN_OTHER, /* of which nothing is known but who it is */
};

struct plain_value {
	enum plain_kind kind;
	int64_t integer;
	double number;
	struct object *object; /* borrowed; NULL: it was computed */
};

struct plain_step {
	unsigned char operation, argument;
};

struct plain {
	unsigned char count, name_count, constant_count; /* count 0: is none */
	struct plain_step step[PLAIN_STEPS];
	short name[PLAIN_NAMES]; /* places in text, NUL-terminated */
	struct plain_value constant[PLAIN_CONSTANTS];
	char text[PLAIN_TEXT];
};

/* The names of one as a code object has them. Zeroed: not asked yet. */
struct plain_binding {
	bool done, fits; /* all are variables there */
	short index[PLAIN_NAMES];
};

/* Makes one of an expression that Python compiled; count 0: it is not plain. */
void plain_parse(struct plain *plain, const char *text);

/* Is it true in this frame? 1, 0, or -1: ask the interpreter. */
int plain_truth(const struct plain *plain, struct plain_binding *binding,
		const struct code *code, void *frame);

/* The value of one that is a variable and nothing else: a new reference, or
 * NULL: ask the interpreter. */
struct object *plain_variable(const struct plain *plain,
			      struct plain_binding *binding,
			      const struct code *code, void *frame);

#endif
