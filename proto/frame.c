/* SPDX-License-Identifier: MIT */
#include "proto/frame.h"

size_t frame_encode(void *buf, size_t size, enum frame_type type, uint32_t id,
		    const void *payload, uint32_t length)
{
	struct frame_header header = {
		.magic = FRAME_MAGIC,
		.type = (uint16_t)type,
		.id = id,
		.length = length,
	};

	if (length > FRAME_PAYLOAD || size < sizeof header + length)
		return 0;
	__builtin_memcpy(buf, &header, sizeof header);
	if (length)
		__builtin_memcpy((char *)buf + sizeof header, payload, length);
	return sizeof header + length;
}

/* The least payload of a frame type; -1 when there is no such type. */
static long least_payload(unsigned type)
{
	switch (type) {
	case FRAME_START:
		return sizeof(struct frame_start);
	case FRAME_PROBE_REMOVE:
	case FRAME_PROBE_ENABLE:
	case FRAME_PROBE_DISABLE:
	case FRAME_LEAVING:
	case FRAME_DEBUG_OVER:
		return sizeof(uint32_t);
	case FRAME_DEBUG:
		return sizeof(struct frame_debug);
	case FRAME_PROBE_REMOVED:
		return sizeof(struct probe_stats);
	case FRAME_ERROR:
		return sizeof(struct frame_error);
	case FRAME_EVALUATE:
		return sizeof(struct frame_evaluate);
	case FRAME_PING:
	case FRAME_PONG:
	case FRAME_PROBE_ADD:
	case FRAME_LINES:
	case FRAME_LEAVE:
	case FRAME_READY:
	case FRAME_PROBE_STATE:
	case FRAME_LINES_ANSWER:
	case FRAME_PROBE_ACTIONS:
	case FRAME_VALUE:
		return 0;
	default:
		return -1;
	}
}

const char *frame_decode(const void *buf, size_t size, struct frame *ret_frame)
{
	struct frame_header header;
	long least;

	if (size < sizeof header)
		return "shorter than a frame header";
	if (size > LIMIT_FRAME)
		return "longer than a frame may be";
	__builtin_memcpy(&header, buf, sizeof header);
	if (header.magic != FRAME_MAGIC)
		return "not a frame: wrong magic";
	if (header.reserved)
		return "the frame's reserved word is not 0";
	if (header.length != size - sizeof header)
		return "the frame's length is not the datagram's";
	least = least_payload(header.type);
	if (least < 0)
		return "unknown frame type";
	if (header.length < (unsigned long)least)
		return "the payload is too short for its type";
	ret_frame->type = (enum frame_type)header.type;
	ret_frame->id = header.id;
	ret_frame->payload = (const char *)buf + sizeof header;
	ret_frame->length = header.length;
	return (const char *)0;
}
