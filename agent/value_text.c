/* SPDX-License-Identifier: MIT */
#include "agent/value_walk.h"

#include "agent/ascii.h"
#include "agent/sys.h"
#include "proto/json_plain.h"

enum { CHUNK = 256 };

static const struct value_form str_form = {
	.name = "str",
	.plain = "\"",
	.typed = "{\"$type\":\"str\",\"$value\":\"",
	.close = '"',
};

static const struct value_form bytes_form = {
	.name = "bytes",
	.typed = "{\"$type\":\"bytes\",\"$base64\":",
};

static const struct value_form bytearray_form = {
	.name = "bytearray",
	.typed = "{\"$type\":\"bytearray\",\"$base64\":",
};

static bool is_plain(uint32_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Copies characters that stand for themselves while there is room; how many. */
static size_t copy_plain(struct json_writer *w, const uint32_t *chunk,
			 size_t count)
{
	size_t most = json_room(w), i = 0;
	char *to = w->next;

	if (most > count)
		most = count;
	for (; i < most && is_plain(chunk[i]); i++)
		to[i] = (char)chunk[i];
	w->next += i;
	return i;
}

static size_t write_chunk(struct json_writer *w, const uint32_t *chunk,
			  size_t count)
{
	size_t i = 0;

	while (i < count) {
		i += copy_plain(w, chunk + i, count - i);
		if (i == count)
			break;
		json_string_char(w, chunk[i]);
		if (w->full)
			break;
		i++;
	}
	return i;
}

/* Copies characters [at, at+count) of a str. A piece of a long one is cut off
 * first: what converts to UCS-4 takes whole strings only, and nothing that
 * gives UTF-8 leaves no copy of it in the object. */
static bool read_chunk(struct object *str, size_t at, size_t count, bool whole,
		       uint32_t chunk[CHUNK])
{
	struct object *piece = str;
	bool done;

	if (!whole)
		piece = py.PyUnicode_Substring(str, (pyssize)at,
					       (pyssize)(at + count));
	done = piece && py.PyUnicode_AsUCS4(piece, chunk, CHUNK, 0);
	if (!done)
		py.PyErr_Clear();
	if (!whole)
		py_drop(piece);
	return done;
}

/* The same of a text that is ASCII. */
static size_t write_ascii(struct json_writer *w, const char *text, size_t count)
{
	size_t at = 0;

	for (;;) {
		size_t run = json_plain(text + at, count - at);

		if (run > json_room(w))
			run = json_room(w);
		memcpy(w->next, text + at, run);
		w->next += run;
		at += run;
		if (at == count)
			break;
		json_string_char(w, (unsigned char)text[at]);
		if (w->full)
			break;
		at++;
	}
	return at;
}

size_t value_characters(struct json_writer *w, struct object *str, size_t count)
{
	uint32_t chunk[CHUNK];
	size_t length, at = 0;
	const char *text = ascii_of(str, &length);

	if (text && !w->full)
		return write_ascii(w, text, count < length ? count : length);
	length = (size_t)py.PyUnicode_GetLength(str);

	if (count > length)
		count = length;
	while (at < count && !w->full) {
		size_t n = count - at < CHUNK ? count - at : CHUNK;

		if (!read_chunk(str, at, n, n == length, chunk))
			break;
		at += write_chunk(w, chunk, n);
	}
	return at;
}

void value_text(struct json_writer *w, const struct value_form *form,
		struct object *str, size_t most)
{
	size_t length = (size_t)py.PyUnicode_GetLength(str);
	struct value_part part;
	size_t shown;

	if (!value_open(w, &part, form, length > most, length))
		return;
	shown = value_characters(w, str, length < most ? length : most);
	w->full = false;
	value_close(w, &part, shown < length, length);
}

size_t value_copy_text(struct object *str, char *to, size_t size)
{
	struct json_writer w;

	json_init(&w, to, size);
	value_characters(&w, str, size);
	return json_length(&w);
}

void value_str(struct value_walk *walk, struct object *object)
{
	struct json_mark mark = json_mark(walk->w);

	value_text(walk->w, &str_form, object, walk->string);
	/* One that is cut, for whatever reason, is not plain. */
	if (walk->redaction->strict && !walk->w->full)
		value_strict(walk, mark, object, mark.next[mark.comma] == '{');
}

static void write_bytes(struct value_walk *walk, const struct value_form *form,
			const struct object *object, const char *bytes,
			pyssize size)
{
	struct json_writer *w = walk->w;
	size_t length = (size_t)size, shown, fits;
	struct value_part part;

	shown = length < walk->string ? length : walk->string;
	if (walk->redaction->strict && shown &&
	    value_bytes_strict(walk, object, bytes, shown, shown < length))
		return;
	if (!value_open(w, &part, form, true, length))
		return;
	fits = json_room(w) / 4 * 3;
	if (shown > fits)
		shown = fits;
	/* The quotes go into what is set aside. */
	w->end += 2;
	json_base64(w, bytes, shown);
	w->end -= 2;
	value_close(w, &part, shown < length, length);
}

void value_bytes(struct value_walk *walk, struct object *object)
{
	write_bytes(walk, &bytes_form, object, py.PyBytes_AsString(object),
		    py.PyBytes_Size(object));
}

void value_bytearray(struct value_walk *walk, struct object *object)
{
	write_bytes(walk, &bytearray_form, object,
		    py.PyByteArray_AsString(object),
		    py.PyByteArray_Size(object));
}
