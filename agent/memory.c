/* SPDX-License-Identifier: MIT */
#include "agent/memory.h"

#include <stdbool.h>
#include <stdint.h>

#include "agent/sys.h"

enum {
	SMALLEST = 6, /* 64 bytes */
	LARGEST = 16, /* MEMORY_BLOCK_MAX */
	CHUNK = 128 << 10,
	CHUNKS = MEMORY_LIMIT / CHUNK,
	UNITS = CHUNK >> SMALLEST,
};

_Static_assert(1u << LARGEST == MEMORY_BLOCK_MAX, "size classes");

struct block {
	struct block *next;
};

static struct block *free_list[LARGEST + 1];
static char *chunk[CHUNKS];
static int chunk_count;
static size_t freed; /* bytes given back since free blocks were joined */

static int size_class(size_t size)
{
	if (size <= 1u << SMALLEST)
		return SMALLEST;
	return 64 - __builtin_clzl(size - 1);
}

static struct block *take(int c)
{
	struct block *block = free_list[c];

	if (block)
		free_list[c] = block->next;
	return block;
}

static void put(void *at, int c)
{
	struct block *block = at;

	block->next = free_list[c];
	free_list[c] = block;
}

/* Halves the next larger free block until one of the class is left. */
static struct block *split(int c)
{
	struct block *block = NULL;
	int larger = c;

	while (!block && ++larger <= LARGEST)
		block = take(larger);
	while (block && larger > c) {
		larger--;
		put((char *)block + ((size_t)1 << larger), larger);
	}
	return block;
}

/* Maps one more chunk. */
static bool grow(void)
{
	char *fresh;

	if (chunk_count == CHUNKS)
		return false;
	fresh = sys_map(CHUNK);
	if (!fresh)
		return false;
	chunk[chunk_count++] = fresh;
	for (size_t at = CHUNK; at; at -= MEMORY_BLOCK_MAX)
		put(fresh + at - MEMORY_BLOCK_MAX, LARGEST);
	return true;
}

/* The class of the free block that begins at each unit of a chunk, 0: none.
 * True only while free blocks are joined. */
static unsigned char state[CHUNKS][UNITS];

/* Takes all free blocks out of the lists and notes them in the table. */
static void note_free(void)
{
	memset(state, 0, (size_t)chunk_count * sizeof *state);
	for (int c = SMALLEST; c <= LARGEST; c++) {
		struct block *block;

		while ((block = take(c))) {
			size_t at = 0;
			int i = -1;

			do
				at = (size_t)((char *)block - chunk[++i]);
			while (at >= CHUNK);
			state[i][at >> SMALLEST] = (unsigned char)c;
		}
	}
}

/* Two free halves become one, in each chunk, from the smallest up. */
static void join_halves(unsigned char *units)
{
	for (int c = SMALLEST; c < LARGEST; c++) {
		size_t half = (size_t)1 << (c - SMALLEST);

		for (size_t at = 0; at < UNITS; at += 2 * half) {
			if (units[at] != c || units[at + half] != c)
				continue;
			units[at] = (unsigned char)(c + 1);
			units[at + half] = 0;
		}
	}
}

/* Joins the free blocks, so that what was many small ones serves a large one:
 * what has been captured does not make the whole grow without end. */
static void join(void)
{
	note_free();
	for (int i = 0; i < chunk_count; i++) {
		join_halves(state[i]);
		for (size_t at = UNITS; at > 0; at--)
			if (state[i][at - 1])
				put(chunk[i] + ((at - 1) << SMALLEST),
				    state[i][at - 1]);
	}
	freed = 0;
}

static struct block *get(int c)
{
	struct block *block;

	if (c > LARGEST)
		return NULL;
	block = take(c);
	if (!block)
		block = split(c);
	if (!block && freed >= (size_t)1 << c) {
		join();
		block = take(c);
		if (!block)
			block = split(c);
	}
	if (!block && grow())
		block = split(c);
	return block ? block : take(c);
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
	int c = size_class(size);

	if (!block)
		return;
	put(block, c);
	freed += (size_t)1 << c;
}

size_t memory_block(size_t size)
{
	return (size_t)1 << size_class(size);
}

void memory_release(void)
{
	for (int i = 0; i < chunk_count; i++)
		sys_unmap(chunk[i], CHUNK);
	memset(free_list, 0, sizeof free_list);
	chunk_count = 0;
	freed = 0;
}
