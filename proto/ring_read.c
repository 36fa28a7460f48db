/* SPDX-License-Identifier: MIT */
#include "proto/ring.h"

#include <stdatomic.h>
#include <string.h>

void ring_reader_init(struct ring_reader *reader, struct ring *ring,
		      uint32_t size)
{
	reader->ring = ring;
	reader->size = size;
	reader->tail = 0;
}

static char *data_at(const struct ring_reader *reader)
{
	return (char *)reader->ring + RING_HEADER +
	       (reader->tail & (reader->size - 1));
}

static uint32_t bytes_left(const struct ring_reader *reader)
{
	return reader->size - (uint32_t)(reader->tail & (reader->size - 1));
}

/* Zeroes what was read and gives it back to the writers. */
static void consume(struct ring_reader *reader, uint32_t bytes)
{
	memset(data_at(reader), 0, bytes);
	reader->tail += bytes;
	/* Release: the zeroes come first, see reserve() in ring_write.c. */
	atomic_store_explicit(&reader->ring->tail, reader->tail,
			      memory_order_release);
}

static uint32_t next_word(const struct ring_reader *reader)
{
	struct ring_record *record = (void *)data_at(reader);

	return atomic_load(&record->word);
}

/* Bounds one committed record by what is left of the data, copies it out.
 * Each field is read once: the writer may be hostile and change it. */
static int take(struct ring_reader *reader, uint32_t word, void *buf,
		struct ring_item *ret_item)
{
	const volatile struct ring_record *record = (void *)data_at(reader);
	uint32_t length = record->length;
	unsigned kind = record->kind;

	if (word % RING_ALIGN || word > bytes_left(reader) ||
	    length > LIMIT_RECORD || kind < RING_CALL || kind > RING_YIELD)
		return -1;
	if (word < sizeof *record + (uint64_t)length ||
	    word - sizeof *record - length >= RING_ALIGN)
		return -1;
	ret_item->kind = (enum ring_kind)kind;
	ret_item->probe = record->probe;
	ret_item->length = length;
	memcpy(buf, data_at(reader) + sizeof *record, length);
	consume(reader, word);
	return 1;
}

int ring_read(struct ring_reader *reader, void *buf, struct ring_item *ret_item)
{
	uint32_t word = next_word(reader);

	if (word & RING_SKIP) {
		uint32_t skip = word & ~RING_SKIP;

		if (skip != bytes_left(reader))
			return -1;
		consume(reader, skip);
		word = next_word(reader);
		if (word & RING_SKIP)
			return -1;
	}
	if (!word)
		return 0;
	return take(reader, word, buf, ret_item);
}

bool ring_sleep(struct ring_reader *reader)
{
	atomic_store(&reader->ring->sleeping, 1);
	if (!next_word(reader))
		return true;
	atomic_store(&reader->ring->sleeping, 0);
	return false;
}
