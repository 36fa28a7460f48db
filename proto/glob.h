/* SPDX-License-Identifier: MIT */
/*
 * glob: shell patterns (`*`, `?`, `[a-z]`, `[!a-z]`) over bytes, without libc.
 * Linear in practice: one backtrack point per `*`.
 */
#ifndef NOPDB_PROTO_GLOB_H
#define NOPDB_PROTO_GLOB_H

#include <stdbool.h>

/* Has the pattern no wildcard? */
bool glob_is_literal(const char *pattern);

/* Does the whole text match? */
bool glob_match(const char *pattern, const char *text);

/* File patterns, as pathlib.PurePath.match: an absolute pattern matches the
 * whole path, a relative one its last components; `*` stays within one. */
bool glob_match_path(const char *pattern, const char *path);

#endif
