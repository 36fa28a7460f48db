/* SPDX-License-Identifier: MIT */
/* The ring of a hostile target: the input is what the target wrote over the
 * header and the data. The reader stays within the mapping, and ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ring.h"
#include "tests/fuzz/fuzz.h"

#define SIZE LIMIT_RING_MIN
#define MOST (SIZE / RING_ALIGN + 1)

/* Reads until the reader stops; every item is within its bounds. */
static void read_all(struct ring *ring)
{
	static uint8_t payload[LIMIT_RECORD];
	struct ring_reader reader;
	struct ring_item item;
	unsigned count = 0;

	ring_reader_init(&reader, ring, SIZE);
	while (count++ <= MOST && ring_read(&reader, payload, &item) > 0)
		fuzz_check(item.length <= LIMIT_RECORD);
	fuzz_check(count <= MOST + 1);
	(void)ring_sleep(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *memory;
	struct ring *ring;

	/* A mapping of its own: a step outside is seen by the sanitizer. */
	memory = aligned_alloc(4096, RING_HEADER + SIZE);
	fuzz_check(memory);
	memset(memory, 0, RING_HEADER + SIZE);
	ring = (struct ring *)memory;
	ring_init(ring, SIZE);
	if (size > 8) {
		memcpy(&ring->head, data, 8);
		memcpy(memory + RING_HEADER, data + 8,
		       size - 8 < SIZE ? size - 8 : SIZE);
		(void)ring_valid(ring, RING_HEADER + SIZE);
		read_all(ring);
	}
	free(memory);
	return 0;
}
