/* SPDX-License-Identifier: MIT */
#include "injector/stack/object.h"

#include <string.h>

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define MRO_MAX 64
#define LONG_BITS 30u
#define LONG_DIGITS_MAX 3 /* enough for 64 bits */

uint64_t object_untag(const struct python *python, uint64_t reference)
{
	if (python_minor(python) >= 14)
		return (reference & 3) == 3 ? 0 : reference & ~3ull;
	if (python_minor(python) == 13 && python->free_threaded)
		return reference & ~1ull;
	return reference;
}

uint64_t object_type(const struct python *python, uint64_t object)
{
	uint64_t type;

	if (!remote_plausible(object))
		return 0;
	type = remote_pointer(python->remote, object + AT(ob_type));
	return remote_plausible(type) ? type : 0;
}

uint64_t object_type_flags(const struct python *python, uint64_t type)
{
	return type ? remote_pointer(python->remote, type + AT(tp_flags)) : 0;
}

int64_t object_type_basicsize(const struct python *python, uint64_t type)
{
	uint64_t size;

	if (!type ||
	    !remote_u64(python->remote, type + AT(tp_basicsize), &size))
		return -1;
	return (int64_t)size;
}

bool object_type_name(const struct python *python, uint64_t type, char *buf,
		      size_t size)
{
	uint64_t name =
		type ? remote_pointer(python->remote, type + AT(tp_name)) : 0;

	return name && remote_text(python->remote, name, buf, size) && buf[0];
}

bool object_is(const struct python *python, uint64_t object, const char *name)
{
	char text[OBJECT_TYPE_NAME];

	return object_type_name(python, object_type(python, object), text,
				sizeof(text)) &&
	       !strcmp(text, name);
}

/* tp_mro is a tuple, of no more types than somebody wrote by hand. */
bool object_is_a(const struct python *python, uint64_t object, const char *name)
{
	uint64_t type = object_type(python, object), mro, base;
	char text[OBJECT_TYPE_NAME];
	int64_t count;

	mro = type ? remote_pointer(python->remote, type + AT(tp_mro)) : 0;
	count = object_size(python, mro);
	for (int64_t i = 0; i < count && i < MRO_MAX; i++) {
		base = remote_pointer(python->remote,
				      mro + AT(tuple_item) + (uint64_t)i * 8);
		if (remote_plausible(base) &&
		    object_type_name(python, base, text, sizeof(text)) &&
		    !strcmp(text, name))
			return true;
	}
	return false;
}

int64_t object_size(const struct python *python, uint64_t object)
{
	uint64_t size;

	if (!remote_plausible(object) ||
	    !remote_u64(python->remote, object + AT(ob_size), &size) ||
	    size > INT64_MAX)
		return -1;
	return (int64_t)size;
}

/* ---- str -------------------------------------------------------------------
 */

struct str {
	uint64_t data, length;
	unsigned width; /* bytes of a character */
};

static bool str_find(const struct python *python, uint64_t object,
		     struct str *ret_str)
{
	uint64_t type = object_type(python, object);
	uint32_t state;
	struct str str;
	bool compact, ascii;

	if (!(object_type_flags(python, type) & TYPE_UNICODE) ||
	    !remote_u64(python->remote, object + AT(str_len), &str.length) ||
	    !remote_read(python->remote, object + AT(str_state), &state, 4))
		return false;
	state >>= python->offsets.str_kind_bit;
	str.width = state & 7;
	compact = state >> 3 & 1;
	ascii = state >> 4 & 1;
	if ((str.width != 1 && str.width != 2 && str.width != 4) ||
	    str.length > INT64_MAX)
		return false;
	if (compact)
		str.data = object + (ascii ? AT(str_ascii) : AT(str_compact));
	else
		str.data = remote_pointer(python->remote,
					  object + AT(str_compact));
	*ret_str = str;
	return str.data != 0;
}

/* Writes one character; returns its bytes. */
static size_t put_utf8(uint32_t c, char *to)
{
	if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		c = 0xfffd;
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

static uint32_t character(const uint8_t *bytes, unsigned width)
{
	uint32_t c = 0;

	memcpy(&c, bytes, width);
	return c;
}

/* Turns count characters into UTF-8, in pieces, as long as they fit with an
 * end; returns the bytes written, or SIZE_MAX when memory cannot be read. */
static size_t str_convert(const struct python *python, const struct str *str,
			  uint64_t count, char *buf, size_t size)
{
	uint8_t piece[512];
	size_t used = 0;

	for (uint64_t done = 0; done < count;) {
		uint64_t part = sizeof(piece) / str->width;

		if (part > count - done)
			part = count - done;
		if (!remote_read(python->remote, str->data + done * str->width,
				 piece, part * str->width))
			return SIZE_MAX;
		for (uint64_t i = 0; i < part; i++) {
			char bytes[4];
			size_t more = put_utf8(
				character(piece + i * str->width, str->width),
				bytes);

			if (used + more >= size)
				goto full;
			memcpy(buf + used, bytes, more);
			used += more;
		}
		done += part;
	}
full:
	buf[used] = '\0';
	return used;
}

char *object_text_whole(const struct python *python, struct arena *arena,
			uint64_t object, size_t most, size_t *ret_size,
			uint64_t *ret_length)
{
	struct str str;
	uint64_t count;
	size_t room, size;
	char *text;

	if (!str_find(python, object, &str))
		return NULL;
	count = str.length < most ? str.length : most;
	if (count > OBJECT_TEXT_MAX)
		count = OBJECT_TEXT_MAX;
	room = count * (str.width == 1 ? 2 : str.width == 2 ? 3 : 4) + 1;
	text = arena_alloc(arena, room);
	if (!text)
		return NULL;
	size = str_convert(python, &str, count, text, room);
	if (size == SIZE_MAX)
		return NULL;
	*ret_size = size;
	*ret_length = str.length;
	return text;
}

char *object_text(const struct python *python, struct arena *arena,
		  uint64_t object, size_t most)
{
	uint64_t length;
	size_t size;

	return object_text_whole(python, arena, object, most, &size, &length);
}

bool object_text_into(const struct python *python, uint64_t object, char *buf,
		      size_t size)
{
	struct str str;
	uint64_t count;

	if (!str_find(python, object, &str))
		return false;
	count = str.length < size ? str.length : size;
	return str_convert(python, &str, count, buf, size) != SIZE_MAX;
}

bool object_text_is(const struct python *python, uint64_t object,
		    const char *text)
{
	char buf[256];
	struct str str;

	return str_find(python, object, &str) && str.length < sizeof(buf) &&
	       object_text_into(python, object, buf, sizeof(buf)) &&
	       !strcmp(buf, text);
}

/* ---- int, tuple, list
 * --------------------------------------------------------- */

bool object_int_size(const struct python *python, uint64_t object,
		     uint64_t *ret_digits, bool *ret_negative)
{
	uint64_t word;
	int64_t size;

	if (!(object_type_flags(python, object_type(python, object)) &
	      TYPE_LONG))
		return false;
	if (python->offsets.long_tag >= 0) {
		if (!remote_u64(python->remote, object + AT(long_tag), &word))
			return false;
		/* lv_tag, 3.12+: the sign in two bits, 2 is negative. */
		*ret_digits = word >> 3;
		*ret_negative = (word & 3) == 2;
		return true;
	}
	if (!remote_u64(python->remote, object + AT(ob_size), &word))
		return false;
	size = (int64_t)word;
	*ret_negative = size < 0;
	*ret_digits = size < 0 ? -(uint64_t)size : (uint64_t)size;
	return true;
}

bool object_int(const struct python *python, uint64_t object,
		int64_t *ret_value)
{
	uint32_t digit[LONG_DIGITS_MAX] = { 0 };
	unsigned __int128 value = 0;
	uint64_t digits;
	bool negative;

	if (!object_int_size(python, object, &digits, &negative) ||
	    digits > LONG_DIGITS_MAX ||
	    !remote_read(python->remote, object + AT(long_digit), digit,
			 digits * sizeof(digit[0])))
		return false;
	for (uint64_t i = digits; i > 0; i--)
		value = value << LONG_BITS |
			(digit[i - 1] & ((1u << LONG_BITS) - 1));
	if (value > INT64_MAX)
		return false;
	*ret_value = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

bool object_float(const struct python *python, uint64_t object,
		  double *ret_value)
{
	return object_is(python, object, "float") &&
	       remote_read(python->remote, object + AT(float_val), ret_value,
			   sizeof(*ret_value));
}

bool object_is_dict(const struct python *python, uint64_t object)
{
	if (object_type_flags(python, object_type(python, object)) & TYPE_DICT)
		return true;
	return python_minor(python) >= 15 &&
	       object_is_a(python, object, "frozendict");
}

uint64_t object_tuple_item(const struct python *python, uint64_t tuple,
			   int64_t index)
{
	if (index < 0 || index >= object_size(python, tuple))
		return 0;
	return remote_pointer(python->remote,
			      tuple + AT(tuple_item) + (uint64_t)index * 8);
}

uint64_t object_list_item(const struct python *python, uint64_t list,
			  int64_t index)
{
	uint64_t items;

	if (index < 0 || index >= object_size(python, list))
		return 0;
	items = remote_pointer(python->remote, list + AT(list_item));
	return items ? remote_pointer(python->remote,
				      items + (uint64_t)index * 8)
		     : 0;
}
