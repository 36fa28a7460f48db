/* SPDX-License-Identifier: MIT */
/* The control frames that a hostile target sends: whatever is accepted lies
 * within the datagram, and encodes to the same bytes again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[LIMIT_FRAME];
	struct frame frame;
	size_t length;

	if (frame_decode(data, size, &frame))
		return 0;
	fuzz_check(frame.length <= size - sizeof(struct frame_header));
	if (frame.length)
		fuzz_check((const uint8_t *)frame.payload + frame.length <=
			   data + size);
	length = frame_encode(again, sizeof(again), frame.type, frame.id,
			      frame.payload, frame.length);
	fuzz_check(length == size);
	fuzz_check(!memcmp(again, data, size));
	return 0;
}
