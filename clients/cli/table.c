/* SPDX-License-Identifier: MIT */
#include "clients/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/text.h"

#define GAP 2

void table_init(struct table *table, size_t columns, const char *const *titles)
{
	*table = (struct table){ .columns = columns };
	for (size_t i = 0; i < columns; i++)
		table_cell(table, titles[i]);
}

void table_release(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){ .columns = 1 };
}

void table_cell(struct table *table, const char *foreign)
{
	struct text text = TEXT_INIT;

	if (table->count == table->size) {
		size_t size = table->size ? table->size * 2 : 64;
		char **cells = realloc(table->cells, size * sizeof(*cells));

		if (!cells)
			return;
		table->cells = cells;
		table->size = size;
	}
	text_add_foreign(&text, foreign && *foreign ? foreign : "-");
	table->cells[table->count++] = text.data;
}

void table_number(struct table *table, double number)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%.0f", number);
	table_cell(table, buf);
}

static const char *cell_at(const struct table *table, size_t row, size_t column)
{
	const char *cell = table->cells[row * table->columns + column];

	return cell ? cell : "";
}

static void row_print(const struct table *table, size_t row,
		      const size_t *widths, size_t limit, struct output *output)
{
	struct text line = TEXT_INIT;

	for (size_t c = 0; c < table->columns; c++) {
		size_t from = line.length;

		text_add(&line, cell_at(table, row, c));
		if (c + 1 < table->columns)
			text_pad(&line, from, widths[c] + GAP);
	}
	if (limit)
		text_cut(&line, 0, limit);
	output_line(output, text_string(&line));
	text_release(&line);
}

void table_print(const struct table *table, struct output *output)
{
	size_t widths[TABLE_COLUMNS] = { 0 };
	size_t rows = table->count / table->columns;
	size_t limit = output_columns(output);

	for (size_t row = 0; row < rows; row++) {
		for (size_t c = 0; c < table->columns; c++) {
			size_t width = text_columns(cell_at(table, row, c));

			if (width > widths[c])
				widths[c] = width;
		}
	}
	for (size_t row = 0; row < rows; row++)
		row_print(table, row, widths, limit, output);
}
