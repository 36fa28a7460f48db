/* SPDX-License-Identifier: MIT */
#include "agent/attributes.h"
#include "agent/sys.h"
#include "agent/value_walk.h"

enum {
	/* datetime.h, 3.7-3.15: behind the hash of a date, time or datetime */
	HAS_ZONE = 24,
	DATA = 25,
	TIME_FOLD = 31,
	TIME_ZONE = 32,
	DATETIME_FOLD = 35,
	DATETIME_ZONE = 40,
	/* behind that of a timedelta: three ints */
	DELTA_DAYS = 24,
	DELTA_SECONDS = 28,
	DELTA_MICROSECONDS = 32,
	ZONE_OFFSET = 16, /* of a timezone: a timedelta */

	/* _decimal's PyDecObject: mpd_t behind the hash; 3.7-3.15 */
	DECIMAL_FLAGS = 24,
	DECIMAL_EXPONENT = 32,
	DECIMAL_DIGITS = 40,
	DECIMAL_WORDS = 48,
	DECIMAL_DATA = 64,
	MPD_NEGATIVE = 1,
	MPD_INFINITE = 2,
	MPD_NAN = 4,
	MPD_SNAN = 8,
	WORD_DIGITS = 19,    /* in a word of 64 bits */
	DECIMAL_MOST = 4096, /* digits of one that is shown */

	DAY = 24 * 60 * 60,
	TEXT_SIZE = 64,
};

struct line {
	char text[TEXT_SIZE];
	size_t length;
};

static void add_char(struct line *line, char c)
{
	if (line->length + 1 < sizeof line->text)
		line->text[line->length++] = c;
	line->text[line->length] = '\0';
}

/* A number with leading zeros. */
static void add_digits(struct line *line, unsigned value, int width)
{
	unsigned scale = 1;

	while (--width > 0)
		scale *= 10;
	for (; scale; scale /= 10)
		add_char(line, (char)('0' + value / scale % 10));
}

static void add_date(struct line *line, const unsigned char *data)
{
	add_digits(line, (unsigned)data[0] << 8 | data[1], 4);
	add_char(line, '-');
	add_digits(line, data[2], 2);
	add_char(line, '-');
	add_digits(line, data[3], 2);
}

static void add_time(struct line *line, const unsigned char *data)
{
	unsigned micro = (unsigned)data[3] << 16 | data[4] << 8 | data[5];

	add_digits(line, data[0], 2);
	add_char(line, ':');
	add_digits(line, data[1], 2);
	add_char(line, ':');
	add_digits(line, data[2], 2);
	if (!micro)
		return;
	add_char(line, '.');
	add_digits(line, micro, 6);
}

static bool is_native(const struct object *object, const char *name)
{
	return !type_is_python(object->type) &&
	       text_equal(py_type_name(object->type), name);
}

/* "+02:00", "-03:30:15" */
static void add_offset(struct line *line, struct object *delta)
{
	int total = PY_FIELD(int, delta, DELTA_DAYS) * DAY +
		    PY_FIELD(int, delta, DELTA_SECONDS);
	unsigned seconds = (unsigned)(total < 0 ? -total : total);

	add_char(line, total < 0 ? '-' : '+');
	add_digits(line, seconds / 3600, 2);
	add_char(line, ':');
	add_digits(line, seconds / 60 % 60, 2);
	if (!(seconds % 60))
		return;
	add_char(line, ':');
	add_digits(line, seconds % 60, 2);
}

/* The offset of a fixed zone, borrowed; NULL: it takes code to know it. */
static struct object *fixed_offset(struct object *zone)
{
	struct object *offset;

	if (!is_native(zone, "datetime.timezone"))
		return NULL;
	offset = PY_FIELD(struct object *, zone, ZONE_OFFSET);
	return offset && is_native(offset, "datetime.timedelta") ? offset
								 : NULL;
}

/* zone_at, fold_at: where these are, 0: it has none. */
static void write_line(struct value_walk *walk, struct object *object,
		       struct line *line, size_t zone_at, size_t fold_at)
{
	struct object *zone = NULL, *offset = NULL;
	struct value_whole whole;

	if (zone_at && PY_FIELD(char, object, HAS_ZONE))
		zone = PY_FIELD(struct object *, object, zone_at);
	if (zone)
		offset = fixed_offset(zone);
	if (offset)
		add_offset(line, offset);
	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	value_add_text(&whole, "$iso", line->text);
	if (fold_at && PY_FIELD(char, object, fold_at))
		value_add_int(&whole, "$fold", 1);
	if (zone && !offset)
		value_add(&whole, "$tzinfo", zone);
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

void value_date(struct value_walk *walk, struct object *object)
{
	struct line line = { .length = 0 };

	add_date(&line, &PY_FIELD(unsigned char, object, DATA));
	write_line(walk, object, &line, 0, 0);
}

void value_time(struct value_walk *walk, struct object *object)
{
	struct line line = { .length = 0 };

	add_time(&line, &PY_FIELD(unsigned char, object, DATA));
	write_line(walk, object, &line, TIME_ZONE, TIME_FOLD);
}

void value_datetime(struct value_walk *walk, struct object *object)
{
	const unsigned char *data = &PY_FIELD(unsigned char, object, DATA);
	struct line line = { .length = 0 };

	add_date(&line, data);
	add_char(&line, 'T');
	add_time(&line, data + 4);
	write_line(walk, object, &line, DATETIME_ZONE, DATETIME_FOLD);
}

void value_timezone(struct value_walk *walk, struct object *object)
{
	struct line line = { .length = 0 };
	struct object *offset = fixed_offset(object);

	if (offset)
		add_offset(&line, offset);
	write_line(walk, object, &line, 0, 0);
}

void value_timedelta(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	value_add_int(&whole, "$days", PY_FIELD(int, object, DELTA_DAYS));
	value_add_int(&whole, "$seconds", PY_FIELD(int, object, DELTA_SECONDS));
	value_add_int(&whole, "$microseconds",
		      PY_FIELD(int, object, DELTA_MICROSECONDS));
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

/* The digits of a coefficient, most significant first; how many. */
static size_t coefficient(struct object *object, char digits[DECIMAL_MOST])
{
	const uint64_t *data = PY_FIELD(const uint64_t *, object, DECIMAL_DATA);
	pyssize words = PY_FIELD(pyssize, object, DECIMAL_WORDS);
	pyssize count = PY_FIELD(pyssize, object, DECIMAL_DIGITS);

	if (!data || count < 1 || count > DECIMAL_MOST ||
	    words != (count + WORD_DIGITS - 1) / WORD_DIGITS)
		return 0;
	for (pyssize i = 0; i < count; i++) {
		pyssize place = count - 1 - i;
		uint64_t word = data[place / WORD_DIGITS];

		for (pyssize skip = place % WORD_DIGITS; skip; skip--)
			word /= 10;
		digits[i] = (char)('0' + word % 10);
	}
	return (size_t)count;
}

/* "-1.25": the text that decimal itself writes, in the form that shows the
 * exponent where that has one. */
static bool decimal_text(struct object *object, struct json_writer *w)
{
	pyssize exponent = PY_FIELD(pyssize, object, DECIMAL_EXPONENT), left;
	static char digits[DECIMAL_MOST];
	size_t count = coefficient(object, digits);
	pyssize point;

	if (!count)
		return false;
	left = exponent + (pyssize)count;
	point = exponent <= 0 && left > -6 ? left : 1;
	if (point <= 0) {
		value_append(w, "0.", 2);
		for (pyssize i = point; i < 0; i++)
			value_append(w, "0", 1);
	}
	for (size_t i = 0; i < count; i++) {
		if (i && (pyssize)i == point)
			value_append(w, ".", 1);
		value_append(w, &digits[i], 1);
	}
	if (left == point)
		return true;
	value_append(w, left > point ? "E+" : "E-", 2);
	w->comma = false;
	json_uint(w, (uint64_t)(left > point ? left - point : point - left));
	return true;
}

static void decimal_repr(struct value_walk *walk, struct object *object)
{
	unsigned char flags = PY_FIELD(unsigned char, object, DECIMAL_FLAGS);
	struct json_writer *w = walk->w;

	json_string_begin(w);
	if (flags & MPD_NEGATIVE)
		value_append(w, "-", 1);
	if (flags & MPD_INFINITE)
		value_append(w, "Infinity", 8);
	else if (flags & (MPD_NAN | MPD_SNAN))
		value_append(w, flags & MPD_SNAN ? "sNaN" : "NaN",
			     flags & MPD_SNAN ? 4 : 3);
	else if (!decimal_text(object, w))
		value_append(w, "?", 1);
	json_string_end(w);
}

void value_decimal(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	value_add_as(&whole, "$repr", object, decimal_repr);
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}
