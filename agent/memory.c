/* SPDX-License-Identifier: MIT */
#include "agent/memory.h"

#include <stdint.h>

#include "agent/sys.h"

enum {
	SMALLEST = 6, /* 64 bytes */
	LARGEST = 16, /* MEMORY_BLOCK_MAX */
	CHUNK = 128 << 10,
	CHUNKS = MEMORY_LIMIT / CHUNK,
};

_Static_assert(1u << LARGEST == MEMORY_BLOCK_MAX, "size classes");

struct block {
	struct block *next;
};

static struct block *free_list[LARGEST + 1];
static char *chunk[CHUNKS];
static size_t chunk_used;
static int chunk_count;

static int size_class(size_t size)
{
	if (size <= 1u << SMALLEST)
		return SMALLEST;
	return 64 - __builtin_clzl(size - 1);
}

/* Cuts a fresh block from the current chunk, mapping the next when needed. */
static void *cut(size_t size)
{
	void *block;

	if (!chunk_count || chunk_used + size > CHUNK) {
		if (chunk_count == CHUNKS)
			return NULL;
		chunk[chunk_count] = sys_map(CHUNK);
		if (!chunk[chunk_count])
			return NULL;
		chunk_count++;
		chunk_used = 0;
	}
	block = chunk[chunk_count - 1] + chunk_used;
	chunk_used += size;
	return block;
}

static struct block *take(int c)
{
	struct block *block = free_list[c];

	if (block)
		free_list[c] = block->next;
	return block;
}

static void put(struct block *block, int c)
{
	block->next = free_list[c];
	free_list[c] = block;
}

/* Halves the next larger free block until one of the class is left: when many
 * blocks of one size are free, the others need not starve. */
static struct block *split(int c)
{
	struct block *block = NULL;
	int larger = c;

	while (!block && ++larger <= LARGEST)
		block = take(larger);
	while (block && larger > c) {
		larger--;
		put((struct block *)((char *)block + ((size_t)1 << larger)),
		    larger);
	}
	return block;
}

static struct block *get(int c)
{
	struct block *block;

	if (c > LARGEST)
		return NULL;
	block = take(c);
	if (!block)
		block = cut((size_t)1 << c);
	return block ? block : split(c);
}

void *memory_get(size_t size)
{
	int c = size_class(size);
	struct block *block = get(c);

	return block ? memset(block, 0, (size_t)1 << c) : NULL;
}

void *memory_get_unset(size_t size)
{
	return get(size_class(size));
}

void memory_put(void *block, size_t size)
{
	if (block)
		put(block, size_class(size));
}

void memory_release(void)
{
	for (int i = 0; i < chunk_count; i++)
		sys_unmap(chunk[i], CHUNK);
	memset(free_list, 0, sizeof free_list);
	chunk_count = 0;
	chunk_used = 0;
}
