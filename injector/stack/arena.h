/* SPDX-License-Identifier: MIT */
/*
 * arena: memory that is freed all at once, up to a bound: what a hostile
 * target can make us keep is limited here and nowhere else. Not shared
 * between threads while it grows.
 */
#ifndef NOPDB_INJECTOR_STACK_ARENA_H
#define NOPDB_INJECTOR_STACK_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct arena;

/* NULL: no memory. */
struct arena *arena_new(size_t most);
void arena_free(struct arena *arena);

/* Zeroed, aligned to 16; NULL when the bound is reached or memory is short.
 * A size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);

/* Has the kernel give memory for so much now, which saves time later. */
void arena_reserve(struct arena *arena, size_t size);

/* arena_alloc of a list; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy, ended with NUL. */
char *arena_copy(struct arena *arena, const void *bytes, size_t size);
char *arena_printf(struct arena *arena, const char *fmt, ...)
	NOPDB_PRINTF(2, 3);

#endif
