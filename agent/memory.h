/* SPDX-License-Identifier: MIT */
/*
 * memory: the agent's own heap. The target's malloc is never touched. Blocks
 * come from mapped chunks in power-of-two sizes with free lists, and are joined
 * again when a larger one is wanted; the whole is bounded by MEMORY_LIMIT (the
 * ring is not part of it) and goes back to the kernel in one step when the
 * agent leaves. Out of memory is a NULL that the caller turns into a dropped,
 * counted capture.
 *
 * GIL held by the caller (or the only thread): no locks.
 */
#ifndef NOPDB_AGENT_MEMORY_H
#define NOPDB_AGENT_MEMORY_H

#include <stddef.h>

#define MEMORY_LIMIT (16u << 20)
#define MEMORY_BLOCK_MAX (64u << 10)

/* Zeroed, 16-byte aligned; NULL when larger than MEMORY_BLOCK_MAX or when the
 * limit is reached. */
void *memory_get(size_t size);

/* The same with whatever was in it before: the caller fills it. */
void *memory_get_unset(size_t size);

/* Gives back a block of memory_get with the same size; NULL is fine. */
void memory_put(void *block, size_t size);

/* How many bytes a block of this size takes. */
size_t memory_block(size_t size);

/* Unmaps everything, blocks in use included. */
void memory_release(void);

#endif
