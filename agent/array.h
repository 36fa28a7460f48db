/* SPDX-License-Identifier: MIT */
/*
 * array: numbers in a row in the program's memory, whoever owns them: what
 * they are, where they lie, what they say together. Knows no objects.
 *
 * GIL held, and not given up between filling in a struct array and the last
 * use of it: the memory is the program's and may move.
 */
#ifndef NOPDB_AGENT_ARRAY_H
#define NOPDB_AGENT_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ARRAY_DIMENSIONS = 64, /* of numpy 2 and of the buffer protocol */
	ARRAY_SAMPLE = 4096,   /* items that a summary looks at */
	ARRAY_TYPE_SIZE = 32,  /* "<f8", "<M8[100ns]" */
};

/* One item. kind, as numpy has them: b bool, i int, u unsigned, f float,
 * c complex, m timedelta, M datetime, S bytes, U text in UCS-4, O object,
 * V anything else; and B: bfloat16. */
struct element {
	char kind;
	bool swap; /* not in the byte order of this machine */
	int64_t size;
};

struct array {
	const char *data; /* NULL: not to be read */
	int dimensions;
	int64_t shape[ARRAY_DIMENSIONS];
	int64_t strides[ARRAY_DIMENSIONS]; /* bytes */
	struct element element;
	char type[ARRAY_TYPE_SIZE]; /* as numpy.dtype() takes it */
};

/* An item as a number. */
struct number {
	enum { NUMBER_NONE, NUMBER_INT, NUMBER_UINT, NUMBER_REAL } kind;
	int64_t integer; /* of UINT: its bits */
	double real, imaginary;
};

struct array_stats {
	int64_t sampled;      /* items looked at, the first ones */
	int64_t nan, numbers; /* not a number (or a time); the others */
	struct number least, most;
	double mean;
};

/* A walk over the items, the last index first. */
struct array_walk {
	const struct array *array;
	const char *at;
	int64_t index[ARRAY_DIMENSIONS];
};

/* Gives it the strides of C; returns the bytes of all, -1: too many. */
int64_t array_make_strides(struct array *array);

/* How many items; -1: more than there can be, or a negative size. */
int64_t array_count(const struct array *array);

/* Names its type from its element; unit: of a time, or "". */
void array_name_type(struct array *array, const char *unit);

void array_walk_begin(struct array_walk *walk, const struct array *array);
void array_walk_next(struct array_walk *walk);

/* What lies at a place. NUMBER_NONE: it is no number. */
void array_number(const struct element *element, const char *at,
		  struct number *ret_number);

/* Of real numbers only; false: it has none. */
bool array_stats(const struct array *array, struct array_stats *ret_stats);

/* Copies whole items, as they are, in the order of C; returns the bytes. */
size_t array_copy(const struct array *array, void *to, size_t size);

#endif
