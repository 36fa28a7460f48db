/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>

#include "injector/stack/code.h"

/* A table may claim any figure: sums stay within what an int holds. */
static int add(int line, int delta)
{
	int sum;

	return __builtin_add_overflow(line, delta, &sum) ? 0 : sum;
}

static struct code_place at_line(int line)
{
	struct code_place place = { .line = line > 0 ? line : 0 };

	place.end_line = place.line;
	return place;
}

/* 3.7-3.9: co_lnotab, pairs of (bytes, lines). */
static struct code_place place_lnotab(const struct code *code, int instruction)
{
	int address = 0, line = code->first_line;

	for (size_t i = 0; i + 1 < code->lines_size; i += 2) {
		address += code->lines[i];
		if (address > instruction)
			break;
		line = add(line, (int8_t)code->lines[i + 1]);
	}
	return at_line(line);
}

/* 3.10, PEP 626: pairs of (bytes, lines); -128: no line. */
static struct code_place place_linetable(const struct code *code,
					 int instruction)
{
	int end = 0, line = code->first_line;

	for (size_t i = 0; i + 1 < code->lines_size; i += 2) {
		int8_t delta = (int8_t)code->lines[i + 1];

		end += code->lines[i];
		if (delta != -128)
			line = add(line, delta);
		if (end > instruction)
			return at_line(delta == -128 ? 0 : line);
	}
	return at_line(line);
}

struct table {
	const uint8_t *bytes;
	size_t size, at;
};

static unsigned table_byte(struct table *table)
{
	return table->at < table->size ? table->bytes[table->at++] : 0;
}

static unsigned table_varint(struct table *table)
{
	unsigned value = 0, byte;

	for (unsigned shift = 0; shift < 30; shift += 6) {
		byte = table_byte(table);
		value |= (byte & 63) << shift;
		if (!(byte & 64))
			break;
	}
	return value;
}

static int table_signed(struct table *table)
{
	unsigned value = table_varint(table);

	return value & 1 ? -(int)(value >> 1) : (int)(value >> 1);
}

/* One entry of the location table (Objects/locations.md): its line is kept in
 * *line, its place in *ret_place. */
static void table_entry(struct table *table, unsigned form, int *line,
			struct code_place *ret_place)
{
	struct code_place place;
	unsigned byte, end;

	if (form == 15) { /* no location */
		*ret_place = (struct code_place){ 0 };
		return;
	}
	if (form == 14 || form == 13)
		*line = add(*line, table_signed(table));
	else if (form >= 10)
		*line = add(*line, (int)form - 10);
	place = at_line(*line);
	if (form == 14) {
		place.end_line = add(place.line, (int)table_varint(table));
		place.column = (int)table_varint(table);
		place.end_column = (int)table_varint(table);
	} else if (form >= 10 && form <= 12) {
		place.column = (int)table_byte(table) + 1;
		place.end_column = (int)table_byte(table) + 1;
	} else if (form < 10) {
		byte = table_byte(table);
		end = byte & 15;
		place.column = (int)(form << 3 | byte >> 4) + 1;
		place.end_column = place.column + (int)end;
	}
	*ret_place = place;
}

/* 3.11 and later: entries of a form, a length and a location. */
static struct code_place place_locations(const struct code *code,
					 int instruction)
{
	struct table table = { code->lines, code->lines_size, 0 };
	struct code_place place = at_line(code->first_line);
	int end = 0, line = code->first_line;

	if (instruction < 0)
		return place;
	while (table.at < table.size) {
		unsigned byte = table_byte(&table);

		table_entry(&table, byte >> 3 & 15, &line, &place);
		end += (int)((byte & 7) + 1) * 2;
		if (end > instruction)
			return place;
	}
	return at_line(0);
}

struct code_place code_place_at(const struct python *python,
				const struct code *code, int instruction)
{
	if (python_minor(python) >= 11)
		return place_locations(code, instruction);
	if (instruction < 0)
		return at_line(code->first_line);
	if (python_minor(python) == 10)
		return place_linetable(code, instruction);
	return place_lnotab(code, instruction);
}
