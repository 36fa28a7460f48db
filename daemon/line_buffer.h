/* SPDX-License-Identifier: MIT */
/*
 * line_buffer: bytes off a client's socket, cut into lines. Grows up to
 * LIMIT_LINE and never past it. Pure memory; belongs to one session.
 */
#ifndef NOPDB_DAEMON_LINE_BUFFER_H
#define NOPDB_DAEMON_LINE_BUFFER_H

#include <stddef.h>

#include "daemon/budget.h"
#include "proto/error.h"

struct line_buffer {
	char *data;
	size_t capacity;
	size_t used;	       /* bytes received */
	size_t start;	       /* of the first line not yet taken */
	size_t scanned;	       /* no newline before this offset */
	struct budget *budget; /* of all clients, borrowed; NULL: none */
};

void line_buffer_init(struct line_buffer *lines);
void line_buffer_release(struct line_buffer *lines);

/* Room for the next read: at least one byte at *ret_data. LIMIT when a line
 * without end fills the buffer or the daemon's budget, NO_MEMORY. A buffer that
 * was large is given back once it is empty. */
int line_buffer_room(struct line_buffer *lines, char **ret_data,
		     size_t *ret_size, struct error *err) NOPDB_CHECKED;

/* `size` bytes were put where line_buffer_room said. */
void line_buffer_filled(struct line_buffer *lines, size_t size);

/* Takes the next whole line, without its newline (nor a carriage return before
 * it). The text is the buffer's own, valid until the next line_buffer_room.
 * Returns 1, or 0 when there is no whole line; LIMIT as -1 when the line is
 * longer than LIMIT_LINE. */
int line_buffer_next(struct line_buffer *lines, const char **ret_line,
		     size_t *ret_length, struct error *err) NOPDB_CHECKED;

#endif
