/* SPDX-License-Identifier: MIT */
#include "proto/ring.h"

#include <stdatomic.h>

static char *ring_data(struct ring *ring)
{
	return (char *)ring + RING_HEADER;
}

void ring_init(struct ring *ring, uint32_t size)
{
	ring->version = NOPDB_AGENT_ABI;
	ring->size = size;
	atomic_init(&ring->head, 0);
	atomic_init(&ring->tail, 0);
	atomic_init(&ring->sleeping, 0);
	ring->magic = RING_MAGIC;
}

bool ring_valid(const struct ring *ring, size_t bytes)
{
	if (bytes < RING_HEADER || ring->magic != RING_MAGIC ||
	    ring->version != NOPDB_AGENT_ABI)
		return false;
	if (ring->size < LIMIT_RING_MIN || ring->size > LIMIT_RING_MAX ||
	    ring->size & (ring->size - 1))
		return false;
	return bytes - RING_HEADER >= ring->size;
}

/* Takes `total` contiguous bytes; *ret_skip is what is left unused before
 * them. Returns false when they are not free. */
static bool reserve(struct ring *ring, uint32_t total, uint64_t *ret_at,
		    uint32_t *ret_skip)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t size = ring->size, skip;
	uint64_t tail;

	do {
		uint32_t left = size - (uint32_t)(head & (size - 1));

		skip = left < total ? left : 0;
		/* Acquire: the reader's zeroes must be visible before the
		 * space is written again. */
		tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (head + skip + total - tail > size)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&ring->head, &head, head + skip + total, memory_order_relaxed,
		memory_order_relaxed));
	*ret_at = head;
	*ret_skip = skip;
	return true;
}

enum ring_put ring_put(struct ring *ring, enum ring_kind kind, uint32_t probe,
		       const void *payload, uint32_t length)
{
	struct ring_record *record;
	uint32_t total, skip, mask = ring->size - 1;
	uint64_t at;

	if (length > LIMIT_RECORD)
		return RING_PUT_SIZE;
	total = (uint32_t)sizeof *record + length + RING_ALIGN - 1;
	total &= ~(RING_ALIGN - 1);
	if (!reserve(ring, total, &at, &skip))
		return RING_PUT_FULL;
	if (skip) {
		record = (void *)(ring_data(ring) + (at & mask));
		atomic_store_explicit(&record->word, RING_SKIP | skip,
				      memory_order_release);
		at += skip;
	}
	record = (void *)(ring_data(ring) + (at & mask));
	record->kind = (uint16_t)kind;
	record->reserved = 0;
	record->probe = probe;
	record->length = length;
	__builtin_memcpy(record + 1, payload, length);
	/* Sequentially consistent, as is the exchange below: either the reader
	 * sees this record before it sleeps, or we see that it sleeps. */
	atomic_store(&record->word, total);
	if (atomic_load(&ring->sleeping) && atomic_exchange(&ring->sleeping, 0))
		return RING_PUT_WAKE;
	return RING_PUT_OK;
}
