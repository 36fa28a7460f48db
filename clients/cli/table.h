/* SPDX-License-Identifier: MIT */
/*
 * table: rows for a terminal. Every column is as wide as its widest cell; the
 * last one is cut at the terminal's edge. Cells are copied, foreign text in
 * them escaped.
 */
#ifndef NOPDB_CLI_TABLE_H
#define NOPDB_CLI_TABLE_H

#include <stddef.h>

#include "clients/cli/output.h"

#define TABLE_COLUMNS 8

struct table {
	char **cells; /* owned, row by row; NULL after no memory */
	size_t count;
	size_t size;
	size_t columns;
};

/* titles: `columns` of them, at most TABLE_COLUMNS. */
void table_init(struct table *table, size_t columns, const char *const *titles);
void table_release(struct table *table);

/* The next cell, from left to right; NULL shows as "-". */
void table_cell(struct table *table, const char *foreign);
void table_number(struct table *table, double number);

/* Writes the rows that are complete. */
void table_print(const struct table *table, struct output *output);

#endif
