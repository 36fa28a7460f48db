/* SPDX-License-Identifier: MIT */
/*
 * text: a string that grows, and what of a foreign string may reach a
 * terminal. Nothing that comes from a target is written raw: control
 * characters, escapes, bidirectional marks and invalid UTF-8 become visible
 * backslash forms, so that a captured value can neither move the cursor nor
 * hide itself.
 *
 * Out of memory sets `failed` and drops further additions; text_string is
 * then what was there before, so output is short, never wrong.
 */
#ifndef NOPDB_CLI_TEXT_H
#define NOPDB_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *data; /* owned; NULL while empty */
	size_t length;
	size_t size;
	bool failed;
};

#define TEXT_INIT                 \
	{                         \
		NULL, 0, 0, false \
	}

void text_release(struct text *text);

/* Never NULL; valid until the next addition. */
const char *text_string(const struct text *text);

/* Back to a length that the text had before. */
void text_rewind(struct text *text, size_t length);

/* Our own words, as they are. */
void text_add(struct text *text, const char *words);
void text_addf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One code point of a foreign string, escaped when it may not be shown.
 * quote: this character and the backslash are escaped too; 0 for none. */
void text_add_char(struct text *text, uint32_t code_point, char quote);

/* Foreign UTF-8, escaped; invalid bytes show as \xNN. */
void text_add_foreign(struct text *text, const char *foreign);
void text_add_foreign_n(struct text *text, const char *foreign, size_t n);

/* Columns that escaped UTF-8 takes on a terminal: 2 for wide East Asian
 * characters and emoji, 0 for combining marks. */
size_t text_columns(const char *string);

/* Shortens what was added since `from` to at most `columns`, with "..." at
 * its end when something was cut. */
void text_cut(struct text *text, size_t from, size_t columns);

/* Spaces up to `columns` counted since `from`. */
void text_pad(struct text *text, size_t from, size_t columns);

#endif
