/* SPDX-License-Identifier: MIT */
#include "proto/json_write.h"

#include "proto/json_plain.h"

static const char hex_digits[] = "0123456789abcdef";

void json_init(struct json_writer *w, char *buf, size_t size)
{
	w->start = w->next = buf;
	w->end = buf + size;
	w->comma = false;
	w->full = false;
}

/* Room for so many bytes, which are then written; NULL, and the writer full,
 * without. */
static inline char *claim(struct json_writer *w, size_t length)
{
	char *at = w->next;

	if (w->full || length > json_room(w)) {
		w->full = true;
		return NULL;
	}
	w->next = at + length;
	return at;
}

static inline void put(struct json_writer *w, const char *text, size_t length)
{
	char *to = claim(w, length);

	if (to)
		__builtin_memcpy(to, text, length);
}

static inline void put_char(struct json_writer *w, char c)
{
	char *to = claim(w, 1);

	if (to)
		*to = c;
}

/* Room for a value of so many bytes, behind the comma that it needs. */
static inline char *claim_value(struct json_writer *w, size_t length)
{
	char *to = claim(w, length + w->comma);

	if (to && w->comma)
		*to++ = ',';
	w->comma = true;
	return to;
}

/* What every value starts with. */
static void separate(struct json_writer *w)
{
	claim_value(w, 0);
}

static void open_with(struct json_writer *w, char bracket)
{
	char *to = claim_value(w, 1);

	if (to)
		*to = bracket;
	w->comma = false;
}

static void close_with(struct json_writer *w, char bracket)
{
	put_char(w, bracket);
	w->comma = true;
}

void json_object_begin(struct json_writer *w)
{
	open_with(w, '{');
}

void json_object_end(struct json_writer *w)
{
	close_with(w, '}');
}

void json_array_begin(struct json_writer *w)
{
	open_with(w, '[');
}

void json_array_end(struct json_writer *w)
{
	close_with(w, ']');
}

size_t json_length_of(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

void json_key_n(struct json_writer *w, const char *name, size_t length)
{
	char *to = claim_value(w, length + 3);

	w->comma = false;
	if (!to)
		return;
	*to++ = '"';
	__builtin_memcpy(to, name, length);
	to[length] = '"';
	to[length + 1] = ':';
}

void json_raw(struct json_writer *w, const char *text, size_t length)
{
	char *to = claim_value(w, length);

	if (to)
		__builtin_memcpy(to, text, length);
}

void json_null(struct json_writer *w)
{
	json_raw(w, "null", 4);
}

void json_bool(struct json_writer *w, bool value)
{
	if (value)
		json_raw(w, "true", 4);
	else
		json_raw(w, "false", 5);
}

/* "00" to "99" */
static const char pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233"
	"34353637383940414243444546474849505152535455565758596061626364656667"
	"6869707172737475767778798081828384858687888990919293949596979899";

enum { DIGITS = 20 }; /* of 64 bits */

/* The decimal digits of a value before `end`; where they start. */
static inline char *digits_of(char *end, uint64_t value)
{
	while (value >= 100) {
		unsigned two = (unsigned)(value % 100) * 2;

		value /= 100;
		*--end = pairs[two + 1];
		*--end = pairs[two];
	}
	if (value >= 10) {
		*--end = pairs[value * 2 + 1];
		*--end = pairs[value * 2];
	} else {
		*--end = (char)('0' + value);
	}
	return end;
}

static void put_decimal(struct json_writer *w, uint64_t value)
{
	char digits[DIGITS];
	char *start = digits_of(digits + DIGITS, value);

	put(w, start, (size_t)(digits + DIGITS - start));
}

void json_int(struct json_writer *w, int64_t value)
{
	separate(w);
	if (value < 0)
		put_char(w, '-');
	put_decimal(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_uint(struct json_writer *w, uint64_t value)
{
	separate(w);
	put_decimal(w, value);
}

void json_hex(struct json_writer *w, uint64_t value)
{
	int shift = 60;

	while (shift > 0 && !(value >> shift & 15))
		shift -= 4;
	separate(w);
	put(w, "\"0x", 3);
	for (; shift >= 0; shift -= 4)
		put_char(w, hex_digits[value >> shift & 15]);
	put_char(w, '"');
}

void json_time(struct json_writer *w, uint64_t nanoseconds)
{
	unsigned micro = (unsigned)(nanoseconds % 1000000000u / 1000);
	char text[DIGITS + 7], *end = text + sizeof text, *start;

	for (int i = 0; i < 3; i++) {
		end -= 2;
		end[0] = pairs[micro % 100 * 2];
		end[1] = pairs[micro % 100 * 2 + 1];
		micro /= 100;
	}
	*--end = '.';
	start = digits_of(end, nanoseconds / 1000000000u);
	json_raw(w, start, (size_t)(text + sizeof text - start));
}

void json_string_begin(struct json_writer *w)
{
	separate(w);
	put_char(w, '"');
}

void json_string_end(struct json_writer *w)
{
	put_char(w, '"');
}

static void put_escape(struct json_writer *w, uint32_t c)
{
	char escape[6] = { '\\', 'u' };

	for (int i = 0; i < 4; i++)
		escape[2 + i] = hex_digits[c >> (12 - 4 * i) & 15];
	put(w, escape, sizeof escape);
}

void json_string_char(struct json_writer *w, uint32_t c)
{
	char utf8[4];

	if (c == '"' || c == '\\') {
		utf8[0] = '\\';
		utf8[1] = (char)c;
		put(w, utf8, 2);
	} else if (c < 0x20 || c == 0x7f || (c >= 0xd800 && c < 0xe000)) {
		put_escape(w, c);
	} else if (c < 0x80) {
		put_char(w, (char)c);
	} else if (c < 0x800) {
		utf8[0] = (char)(0xc0 | c >> 6);
		utf8[1] = (char)(0x80 | (c & 63));
		put(w, utf8, 2);
	} else if (c < 0x10000) {
		utf8[0] = (char)(0xe0 | c >> 12);
		utf8[1] = (char)(0x80 | (c >> 6 & 63));
		utf8[2] = (char)(0x80 | (c & 63));
		put(w, utf8, 3);
	} else if (c < 0x110000) {
		utf8[0] = (char)(0xf0 | c >> 18);
		utf8[1] = (char)(0x80 | (c >> 12 & 63));
		utf8[2] = (char)(0x80 | (c >> 6 & 63));
		utf8[3] = (char)(0x80 | (c & 63));
		put(w, utf8, 4);
	} else {
		json_string_char(w, 0xfffd);
	}
}

/* The code point of a sequence whose lead byte is given and its least value;
 * 0 extra bytes when the lead byte is none. */
static int lead_byte(unsigned char byte, uint32_t *ret_point,
		     uint32_t *ret_least)
{
	if (byte >= 0xc2 && byte < 0xe0) {
		*ret_point = byte & 0x1f;
		*ret_least = 0x80;
		return 1;
	}
	if (byte >= 0xe0 && byte < 0xf0) {
		*ret_point = byte & 0x0f;
		*ret_least = 0x800;
		return 2;
	}
	if (byte >= 0xf0 && byte < 0xf5) {
		*ret_point = byte & 0x07;
		*ret_least = 0x10000;
		return 3;
	}
	return 0;
}

/* Decodes one character; what is not UTF-8 is U+FFFD for one byte. */
static size_t decode(const unsigned char *text, size_t length,
		     uint32_t *ret_point)
{
	uint32_t point, least = 0;
	int extra;

	*ret_point = text[0];
	if (text[0] < 0x80)
		return 1;
	*ret_point = 0xfffd;
	extra = lead_byte(text[0], &point, &least);
	if (!extra || (size_t)extra >= length)
		return 1;
	for (int i = 1; i <= extra; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 1;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < least || point > 0x10ffff ||
	    (point >= 0xd800 && point < 0xe000))
		return 1;
	*ret_point = point;
	return 1 + (size_t)extra;
}

void json_string_n(struct json_writer *w, const char *text, size_t length)
{
	size_t at = 0;

	json_string_begin(w);
	while (at < length && !w->full) {
		size_t plain = json_plain(text + at, length - at);
		uint32_t point;

		put(w, text + at, plain);
		at += plain;
		if (at == length)
			break;
		at += decode((const unsigned char *)text + at, length - at,
			     &point);
		json_string_char(w, point);
	}
	json_string_end(w);
}

void json_string(struct json_writer *w, const char *text)
{
	json_string_n(w, text, json_length_of(text));
}

void json_base64(struct json_writer *w, const void *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *b = bytes;

	json_string_begin(w);
	for (size_t i = 0; i < length && !w->full; i += 3) {
		size_t left = length - i;
		uint32_t bits = (uint32_t)b[i] << 16;
		char group[4];

		if (left > 1)
			bits |= (uint32_t)b[i + 1] << 8;
		if (left > 2)
			bits |= b[i + 2];
		group[0] = digits[bits >> 18];
		group[1] = digits[bits >> 12 & 63];
		group[2] = left > 1 ? digits[bits >> 6 & 63] : '=';
		group[3] = left > 2 ? digits[bits & 63] : '=';
		put(w, group, sizeof group);
	}
	json_string_end(w);
}
