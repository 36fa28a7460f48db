/* SPDX-License-Identifier: MIT */
#include "agent/value.h"
#include "agent/value_walk.h"

#include "agent/sys.h"

enum {
	/* 3913 digits: below the least that quadratic conversion is refused
	 * for by default (4300, 3.7.14+), and below what 3.12+ hands over to a
	 * module in Python (30000 bits). */
	DECIMAL_BITS = 13000,
	HEX_BITS = 1 << 18,
	FLOAT_TEXT = 40, /* the longest repr has 24 */
};

/* PyOS_double_to_string's flags (pystrtod.h) */
enum { FLOAT_SIGN = 1, FLOAT_DOT_0 = 2 };

static const int64_t exact = (int64_t)1 << 53;

/* The least that may be the number of a card. */
static const int64_t card_least = 1000000000000;

static const struct value_form int_form = {
	.name = "int",
	.typed = "{\"$type\":\"int\",\"$repr\":\"",
	.close = '"',
};

static void int_of_bits(struct json_writer *w, size_t bits)
{
	json_object_begin(w);
	json_key(w, "$type");
	json_string(w, "int");
	if (bits) {
		json_key(w, "$bits");
		json_uint(w, bits);
	}
	value_truncated(w);
	json_object_end(w);
}

/* An int beyond what JSON's readers keep exactly. */
static void big_int(struct value_walk *walk, struct object *object)
{
	size_t bits = py._PyLong_NumBits ? py._PyLong_NumBits(object) : 0;
	struct object *text = NULL;

	if (!bits || bits > HEX_BITS) {
		py.PyErr_Clear();
		int_of_bits(walk->w, bits);
		return;
	}
	if (bits <= DECIMAL_BITS)
		text = py.PyNumber_ToBase(object, 10);
	if (!text) {
		/* The program may have set a lower limit of digits. */
		py.PyErr_Clear();
		text = py.PyNumber_ToBase(object, 16);
	}
	if (!text) {
		py.PyErr_Clear();
		int_of_bits(walk->w, bits);
		return;
	}
	value_text(walk->w, &int_form, text, walk->string);
	py_drop(text);
}

void value_int(struct value_walk *walk, struct object *object)
{
	int overflow;
	int64_t value = py.PyLong_AsLongLongAndOverflow(object, &overflow);
	struct json_mark mark = json_mark(walk->w);

	if (!overflow && value >= -exact && value <= exact)
		json_int(walk->w, value);
	else
		big_int(walk, object);
	if (walk->redaction->strict && (overflow || value >= card_least))
		value_strict(walk, mark, object, false);
}

/* Writes a float as Python does; returns the length, 0 without memory. */
static size_t float_text(char buf[FLOAT_TEXT], double value, int flags)
{
	char *text = py.PyOS_double_to_string(value, 'r', 0, flags, NULL);

	if (!text) {
		py.PyErr_Clear();
		return 0;
	}
	text_copy(buf, FLOAT_TEXT, text);
	py.PyMem_Free(text);
	return text_length(buf);
}

static void with_repr(struct json_writer *w, const char *type, const char *text)
{
	json_object_begin(w);
	json_key(w, "$type");
	json_string(w, type);
	json_key(w, "$repr");
	json_string(w, text);
	json_object_end(w);
}

/* Small whole numbers, without the long way through the C library. */
static bool whole_float(struct json_writer *w, double value)
{
	int64_t whole;

	if (!(value > -1e15 && value < 1e15))
		return false;
	whole = (int64_t)value;
	/* 0 may be -0.0 */
	if ((double)whole != value || !whole)
		return false;
	json_int(w, whole);
	value_append(w, ".0", 2);
	return true;
}

/* Prices, shares, seconds: at most four digits behind the point. A decimal of
 * up to 15 digits that is the nearest to a double is what repr() finds, and
 * the quotient of two integers below 2^53 is rounded to the nearest. */
static bool short_float(struct json_writer *w, double value)
{
	static const int64_t scales[] = { 10, 100, 1000, 10000 };
	double size = value < 0 ? -value : value;

	if (!(size >= 1e-3 && size < 1e10))
		return false;
	for (int i = 0; i < 4; i++) {
		int64_t scale = scales[i];
		int64_t digits = (int64_t)(size * (double)scale + 0.5);
		char tail[] = ".0000";

		if ((double)digits / (double)scale != size)
			continue;
		if (value < 0 && digits < scale)
			json_raw(w, "-0", 2);
		else
			json_int(w, value < 0 ? -(digits / scale)
					      : digits / scale);
		for (int64_t rest = digits % scale, at = i + 1; at; at--) {
			tail[at] = (char)('0' + rest % 10);
			rest /= 10;
		}
		value_append(w, tail, (size_t)i + 2);
		return true;
	}
	return false;
}

void value_double(struct json_writer *w, double value)
{
	char text[FLOAT_TEXT];
	size_t length;

	if (whole_float(w, value) || short_float(w, value))
		return;
	length = float_text(text, value, FLOAT_DOT_0);
	if (!length)
		json_null(w);
	else if (value - value != 0)
		with_repr(w, "float", text);
	else
		json_raw(w, text, length);
}

void value_float(struct value_walk *walk, struct object *object)
{
	value_double(walk->w, py.PyFloat_AsDouble(object));
}

/* As complex.__repr__: no real part where it is +0.0. */
void value_double_complex(struct json_writer *w, double real, double imaginary)
{
	char text[2 * FLOAT_TEXT + 4] = "(";
	bool both = real != 0 || __builtin_signbit(real);
	size_t used = 0;

	if (both)
		used = 1 + float_text(text + 1, real, 0);
	used += float_text(text + used, imaginary, both ? FLOAT_SIGN : 0);
	text_copy(text + used, sizeof text - used, both ? "j)" : "j");
	with_repr(w, "complex", text);
}

void value_complex(struct value_walk *walk, struct object *object)
{
	value_double_complex(walk->w, py.PyComplex_RealAsDouble(object),
			     py.PyComplex_ImagAsDouble(object));
}

void value_integer(struct json_writer *w, int64_t value, bool is_signed)
{
	char text[24] = "-";
	uint64_t bits = (uint64_t)value;
	struct json_writer digits;

	if (value >= -exact && value <= exact && (is_signed || value >= 0)) {
		json_int(w, value);
		return;
	}
	json_init(&digits, text, sizeof text - 1);
	if (is_signed && value < 0)
		json_int(&digits, value);
	else
		json_uint(&digits, bits);
	text[json_length(&digits)] = '\0';
	with_repr(w, "int", text);
}
