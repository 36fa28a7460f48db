/* SPDX-License-Identifier: MIT */
/*
 * json_write: JSON text into a bounded buffer, commas included. Runs in the
 * target as well: no libc, no allocation.
 *
 * What does not fit sets `full` and is dropped; the caller rewinds to a mark
 * and writes something shorter. Text that was written is never changed later.
 */
#ifndef NOPDB_PROTO_JSON_WRITE_H
#define NOPDB_PROTO_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
	char *start;
	char *next;
	char *end;
	bool comma; /* a value stands before: separate the next */
	bool full;
};

struct json_mark {
	char *next;
	bool comma;
};

void json_init(struct json_writer *w, char *buf, size_t size);

static inline size_t json_length(const struct json_writer *w)
{
	return (size_t)(w->next - w->start);
}

static inline size_t json_room(const struct json_writer *w)
{
	return (size_t)(w->end - w->next);
}

static inline struct json_mark json_mark(const struct json_writer *w)
{
	return (struct json_mark){ w->next, w->comma };
}

/* Back to a mark taken while the writer was not full. */
static inline void json_rewind(struct json_writer *w, struct json_mark mark)
{
	w->next = mark.next;
	w->comma = mark.comma;
	w->full = false;
}

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);

/* Bytes of a text before its NUL. */
size_t json_length_of(const char *text);

/* A member's name; ASCII that needs no escape. */
void json_key_n(struct json_writer *w, const char *name, size_t length);

/* The length of a literal is known when this is compiled. */
static inline void json_key(struct json_writer *w, const char *name)
{
	json_key_n(w, name,
		   __builtin_constant_p(__builtin_strlen(name))
			   ? __builtin_strlen(name)
			   : json_length_of(name));
}

void json_null(struct json_writer *w);
void json_bool(struct json_writer *w, bool value);
void json_int(struct json_writer *w, int64_t value);
void json_uint(struct json_writer *w, uint64_t value);
/* "0x..." as a string. */
void json_hex(struct json_writer *w, uint64_t value);
/* Seconds since the epoch with microseconds, as a number. */
void json_time(struct json_writer *w, uint64_t nanoseconds);
/* A NUL-terminated UTF-8 string, escaped; invalid bytes become U+FFFD. */
void json_string(struct json_writer *w, const char *text);
void json_string_n(struct json_writer *w, const char *text, size_t length);
/* Ready JSON text of one value, as it is. */
void json_raw(struct json_writer *w, const char *text, size_t length);
/* A base64 string of bytes. */
void json_base64(struct json_writer *w, const void *bytes, size_t length);

/* A string in parts: begin, code points (lone surrogates become \u escapes),
 * end. */
void json_string_begin(struct json_writer *w);
void json_string_char(struct json_writer *w, uint32_t code_point);
void json_string_end(struct json_writer *w);

#endif
