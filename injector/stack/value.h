/* SPDX-License-Identifier: MIT */
/*
 * value: objects of a target as the plain structs of a picture, by their exact
 * type and within limits, as captures have them. Nothing is executed: what is
 * not a built-in type is named, with its address.
 */
#ifndef NOPDB_INJECTOR_STACK_VALUE_H
#define NOPDB_INJECTOR_STACK_VALUE_H

#include "injector/stack/stack.h"
#include "injector/stack/walk.h"

#define VALUE_DEPTH_MAX 32u

struct values {
	const struct python *python;
	struct arena *arena;
	unsigned depth, items, string; /* 0: no limit but the arena's */
	uint64_t left; /* places to look at, of all values together */
	uint64_t path[VALUE_DEPTH_MAX];
	unsigned path_length;
};

void values_init(struct values *values, const struct python *python,
		 struct arena *arena, const struct stack_options *options);

/* False: no memory. */
bool values_read(struct values *values, uint64_t object,
		 struct stack_value *ret_value);

/* The same of an instance of a subclass, as the built-in type that it is. */
bool values_read_as(struct values *values, uint64_t object, const char *type,
		    struct stack_value *ret_value);

/* "app.User", "int"; NULL: unreadable, or no memory. */
const char *values_type_name(struct values *values, uint64_t type);

/* Enters an object whose parts are to be read; false: not to be shown, because
 * of its depth, or because it contains itself. push: however deep it lies. */
void values_push(struct values *values, uint64_t object);
bool values_enter(struct values *values, uint64_t object,
		  struct stack_value *value);
void values_leave(struct values *values);

/* The local variables of a frame; NULL: no memory. */
const struct stack_local *values_locals(struct values *values,
					struct codes *codes,
					const struct python_frame *frame,
					size_t *ret_count);

#endif
