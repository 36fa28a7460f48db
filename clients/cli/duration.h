/* SPDX-License-Identifier: MIT */
/*
 * duration: spans of time as people write and read them: "10s", "1.5s",
 * "500ms", "20us", "5m", "1h", "2d"; a bare number is seconds. Pure.
 */
#ifndef NOPDB_CLI_DURATION_H
#define NOPDB_CLI_DURATION_H

#include <stddef.h>
#include <stdint.h>

#define DURATION_TEXT 24

/* Parses text into nanoseconds. Returns 0, or -1 when it is no duration or
 * does not fit in 63 bits. */
int duration_parse(const char *text, uint64_t *ret_ns)
	__attribute__((warn_unused_result));

/* "812 ns", "1.25 ms", "3.10 s": three digits. buf holds DURATION_TEXT bytes;
 * returns buf. */
const char *duration_text(uint64_t ns, char buf[DURATION_TEXT]);

#endif
