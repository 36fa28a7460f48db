/* SPDX-License-Identifier: MIT */
#include "daemon/line_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

#define FIRST_CAPACITY 4096u
#define KEPT_CAPACITY 16384u
/* One byte for the newline and one for a carriage return. */
#define MOST_CAPACITY (LIMIT_LINE + 2)

void line_buffer_init(struct line_buffer *lines)
{
	*lines = (struct line_buffer){ 0 };
}

void line_buffer_release(struct line_buffer *lines)
{
	struct budget *budget = lines->budget;

	budget_give(budget, lines->capacity);
	free(lines->data);
	line_buffer_init(lines);
	lines->budget = budget;
}

static int too_long(struct error *err)
{
	error_set(err, ERROR_LIMIT, "request line longer than %u bytes",
		  LIMIT_LINE);
	return error_remedy(err, "send one JSON object a line");
}

/* Moves what is not yet taken to the front. */
static void compact(struct line_buffer *lines)
{
	if (lines->start == 0)
		return;
	memmove(lines->data, lines->data + lines->start,
		lines->used - lines->start);
	lines->used -= lines->start;
	lines->scanned -= lines->start;
	lines->start = 0;
}

static int grow(struct line_buffer *lines, struct error *err)
{
	size_t before = lines->capacity;
	size_t capacity = before ? before * 2 : FIRST_CAPACITY;
	char *data;

	if (before >= MOST_CAPACITY)
		return too_long(err);
	if (capacity > MOST_CAPACITY)
		capacity = MOST_CAPACITY;
	if (before &&
	    !budget_spares(lines->budget, before, capacity - before)) {
		error_set(err, ERROR_LIMIT,
			  "a request of more than %zu bytes has no room now",
			  before);
		return error_remedy(err, "others use it: try again, or send "
					 "a shorter request");
	}
	data = realloc(lines->data, capacity);
	if (!data)
		return error_set(err, ERROR_NO_MEMORY,
				 "no memory for a request line");
	budget_take(lines->budget, capacity - before);
	lines->data = data;
	lines->capacity = capacity;
	return 0;
}

int line_buffer_room(struct line_buffer *lines, char **ret_data,
		     size_t *ret_size, struct error *err)
{
	compact(lines);
	if (lines->used == 0 && lines->capacity > KEPT_CAPACITY)
		line_buffer_release(lines);
	if (lines->used == lines->capacity && grow(lines, err))
		return -1;
	*ret_data = lines->data + lines->used;
	*ret_size = lines->capacity - lines->used;
	return 0;
}

void line_buffer_filled(struct line_buffer *lines, size_t size)
{
	lines->used += size;
}

int line_buffer_next(struct line_buffer *lines, const char **ret_line,
		     size_t *ret_length, struct error *err)
{
	size_t length;
	char *end;

	if (lines->scanned == lines->used)
		return 0;
	end = memchr(lines->data + lines->scanned, '\n',
		     lines->used - lines->scanned);
	lines->scanned = end ? (size_t)(end - lines->data) + 1 : lines->used;
	if (!end)
		return 0;
	length = (size_t)(end - lines->data) - lines->start;
	if (length > 0 && end[-1] == '\r')
		length--;
	if (length > LIMIT_LINE)
		return too_long(err);
	*ret_line = lines->data + lines->start;
	*ret_length = length;
	lines->start = lines->scanned;
	return 1;
}
