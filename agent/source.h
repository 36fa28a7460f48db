/* SPDX-License-Identifier: MIT */
/*
 * source: the lines of the program's source, from `linecache` where the
 * program has them (notebook cells, <stdin>), else from the file. Runs no code
 * of the program but that of a compiled regular expression. GIL held.
 */
#ifndef NOPDB_AGENT_SOURCE_H
#define NOPDB_AGENT_SOURCE_H

#include "agent/python.h"

enum { SOURCE_MATCHES = 256 }; /* lines found in one file */

/* What a line must be: a text without surrounding space, or have: a compiled
 * regular expression. Or neither, and def. */
struct source_query {
	const char *text;
	struct object *pattern;
	int def; /* only this line, and only when a function starts there */
};

/* Writes the numbers of the lines of a file (a str, as co_filename has it) that
 * fit, ascending; how many. The answer for the file asked last is kept for a
 * second. */
int source_find(struct object *file, const struct source_query *query,
		int ret_lines[SOURCE_MATCHES]);

/* Does a line of the file start a function: `def` or `async def`? */
bool source_is_def(struct object *file, int number);

#endif
