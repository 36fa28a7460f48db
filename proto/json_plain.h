/* SPDX-License-Identifier: MIT */
/*
 * json_plain: the characters that stand for themselves in a JSON string and
 * are most of every record, eight at a time. Pure; any thread.
 */
#ifndef NOPDB_PROTO_JSON_PLAIN_H
#define NOPDB_PROTO_JSON_PLAIN_H

#include <stddef.h>
#include <stdint.h>

/* A high bit for each of eight bytes that does not stand for itself. A borrow
 * may mark a byte above such a one as well: only the lowest is certain. */
static inline uint64_t json_odd_bytes(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
	uint64_t quote = x ^ '"' * ones, slash = x ^ '\\' * ones;

	return ((x - ' ' * ones) | (x + ones) | (quote - ones) |
		(slash - ones) | x) &
	       high;
}

/* How many bytes from the first on are printable ASCII without quotes and
 * backslashes. */
static inline size_t json_plain(const char *text, size_t length)
{
	size_t i = 0;

	for (; i + 8 <= length; i += 8) {
		uint64_t x;

		__builtin_memcpy(&x, text + i, 8);
		x = json_odd_bytes(x);
		if (x)
			return i + (size_t)__builtin_ctzll(x) / 8;
	}
	for (; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			break;
	}
	return i;
}

#endif
