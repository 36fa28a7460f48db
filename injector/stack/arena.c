/* SPDX-License-Identifier: MIT */
#include "injector/stack/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK 65536u
#define ARENA_ALIGN 16u

struct block {
	struct block *next;
	size_t size, used;
	alignas(ARENA_ALIGN) unsigned char bytes[];
};

struct arena {
	struct block *blocks; /* the one that grows first */
	size_t left;
};

struct arena *arena_new(size_t most)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->left = most;
	return arena;
}

void arena_free(struct arena *arena)
{
	struct block *next;

	if (!arena)
		return;
	for (struct block *block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

static struct block *new_block(struct arena *arena, size_t room)
{
	struct block *block = NULL;

	if (room <= arena->left)
		block = calloc(1, sizeof(*block) + room);
	if (!block)
		return NULL;
	arena->left -= room;
	block->size = room;
	return block;
}

/* A large request gets a block of its own, behind the one that grows. */
static struct block *add_block(struct arena *arena, size_t size)
{
	size_t room = size > ARENA_BLOCK / 4 ? size : ARENA_BLOCK;
	struct block *block = new_block(arena, room);

	if (!block)
		return NULL;
	if (arena->blocks && room == size) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

void arena_reserve(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;

	if (block && block->size - block->used < size)
		block = NULL;
	if (!block)
		block = new_block(arena,
				  size > ARENA_BLOCK ? size : ARENA_BLOCK);
	if (!block)
		return;
	if (block != arena->blocks) {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	/* It is all zero: this is to have the pages, and not optimized away. */
	explicit_bzero(block->bytes + block->used, size);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;
	void *memory;

	if (size > SIZE_MAX - ARENA_ALIGN)
		return NULL;
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!block || size > block->size - block->used) {
		block = add_block(arena, size);
		if (!block)
			return NULL;
	}
	memory = block->bytes + block->used;
	block->used += size;
	return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return arena_alloc(arena, bytes);
}

char *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	char *copy = size == SIZE_MAX ? NULL : arena_alloc(arena, size + 1);

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)length + 1);
	if (!text)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, (size_t)length + 1, fmt, args);
	va_end(args);
	return text;
}
