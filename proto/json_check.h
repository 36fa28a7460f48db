/* SPDX-License-Identifier: MIT */
/*
 * json_check: one linear pass over text that a target claims is JSON. The
 * daemon forwards the bytes only when this says yes: valid JSON (RFC 8259),
 * valid UTF-8, no raw control character (so no newline), nested at most
 * LIMIT_JSON_DEPTH deep, one object at the top, none of its members named as
 * in `reserved`. Pure; no allocation.
 */
#ifndef NOPDB_PROTO_JSON_CHECK_H
#define NOPDB_PROTO_JSON_CHECK_H

#include <stddef.h>

/* Returns NULL when the text is fine, else the reason; *ret_offset (may be
 * NULL) is where. reserved: NULL-terminated list of top-level names that are
 * refused, or NULL. Escaped forms of a reserved name are refused as well. */
const char *json_check(const char *text, size_t length,
		       const char *const *reserved, size_t *ret_offset);

#endif
