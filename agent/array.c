/* SPDX-License-Identifier: MIT */
#include "agent/array.h"

#include "agent/sys.h"

/* What can be addressed. */
static const int64_t bytes_most = (int64_t)1 << 47;

int64_t array_count(const struct array *array)
{
	int64_t count = 1;

	for (int i = 0; i < array->dimensions; i++)
		if (array->shape[i] < 0)
			return -1;
		else if (!array->shape[i])
			count = 0;
	for (int i = 0; count && i < array->dimensions; i++) {
		if (array->shape[i] > bytes_most / count)
			return -1;
		count *= array->shape[i];
	}
	return count;
}

int64_t array_make_strides(struct array *array)
{
	int64_t count = array_count(array), step = array->element.size;

	if (count < 0 || step < 0 || (count && step > bytes_most / count))
		return -1;
	for (int i = array->dimensions - 1; i >= 0; i--) {
		array->strides[i] = step;
		step *= array->shape[i] ? array->shape[i] : 1;
	}
	return count * array->element.size;
}

/* Decimal digits; returns what follows them. */
static char *put_number(char *to, uint64_t value)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	while (count)
		*to++ = digits[--count];
	return to;
}

void array_name_type(struct array *array, const char *unit)
{
	const struct element *element = &array->element;
	bool single = element->size == 1 || element->kind == 'O' ||
		      element->kind == 'S' || element->kind == 'V';
	char *to = array->type;

	if (element->kind == 'B') {
		text_copy(array->type, sizeof array->type, "bfloat16");
		return;
	}
	*to++ = single ? '|' : element->swap ? '>' : '<';
	*to++ = element->kind;
	if (element->kind != 'O')
		to = put_number(to, (uint64_t)(element->kind == 'U'
						       ? element->size / 4
						       : element->size));
	*to = '\0';
	text_copy(to, (size_t)(array->type + sizeof array->type - to), unit);
}

void array_walk_begin(struct array_walk *walk, const struct array *array)
{
	walk->array = array;
	walk->at = array->data;
	for (int i = 0; i < array->dimensions; i++)
		walk->index[i] = 0;
}

void array_walk_next(struct array_walk *walk)
{
	const struct array *array = walk->array;

	for (int i = array->dimensions - 1; i >= 0; i--) {
		walk->at += array->strides[i];
		if (++walk->index[i] < array->shape[i])
			return;
		walk->at -= array->strides[i] * array->shape[i];
		walk->index[i] = 0;
	}
}

/* Up to 16 bytes in the order of this machine. */
static void load(unsigned char to[16], const char *at, int64_t size, bool swap)
{
	memset(to, 0, 16);
	for (int64_t i = 0; i < size && i < 16; i++)
		to[swap ? size - 1 - i : i] = (unsigned char)at[i];
}

static int64_t load_int(const char *at, int64_t size, bool swap, bool is_signed)
{
	unsigned char bytes[16];
	uint64_t value;
	unsigned unused;

	load(bytes, at, size, swap);
	memcpy(&value, bytes, sizeof value);
	if (!is_signed || size >= 8)
		return (int64_t)value;
	unused = (unsigned)(64 - 8 * size);
	return (int64_t)(value << unused) >> unused;
}

/* mantissa * 2^exponent, where both ends may leave the range of a double. */
static double scale(double mantissa, int exponent)
{
	static const struct {
		int exponent;
		double up, down;
	} steps[] = { { 512, 0x1p512, 0x1p-512 },
		      { 32, 0x1p32, 0x1p-32 },
		      { 1, 2, 0.5 } };

	for (int i = 0; i < 3; i++) {
		for (; exponent >= steps[i].exponent;
		     exponent -= steps[i].exponent)
			mantissa *= steps[i].up;
		for (; exponent <= -steps[i].exponent;
		     exponent += steps[i].exponent)
			mantissa *= steps[i].down;
	}
	return mantissa;
}

/* IEEE 754 half precision. */
static double half(unsigned bits)
{
	double sign = bits & 0x8000 ? -1 : 1;
	int exponent = (int)(bits >> 10 & 31);
	unsigned fraction = bits & 0x3ff;

	if (exponent == 31)
		return fraction ? __builtin_nan("") : sign * __builtin_inf();
	if (!exponent)
		return sign * scale(fraction, -24);
	return sign * scale(fraction + 1024, exponent - 25);
}

/* The 80 bits of x87, of which a double keeps the most. */
static double extended(const unsigned char bytes[16])
{
	uint64_t mantissa;
	unsigned top = bytes[8] | (unsigned)bytes[9] << 8;
	double sign = top & 0x8000 ? -1 : 1;

	memcpy(&mantissa, bytes, sizeof mantissa);
	if ((top & 0x7fff) == 0x7fff)
		return mantissa << 1 ? __builtin_nan("")
				     : sign * __builtin_inf();
	return sign * scale((double)mantissa, (int)(top & 0x7fff) - 16383 - 63);
}

static double load_real(const char *at, int64_t size, bool swap, bool brain)
{
	unsigned char bytes[16];
	uint32_t word;
	double value = 0;
	float single;

	load(bytes, at, size, swap);
	memcpy(&word, bytes, sizeof word);
	if (size == 2 && !brain)
		return half(word & 0xffff);
	if (size == 2)
		word <<= 16;
	if (size <= 4) {
		memcpy(&single, &word, sizeof single);
		return (double)single;
	}
	if (size == 8)
		memcpy(&value, bytes, sizeof value);
	else
		value = extended(bytes);
	return value;
}

static bool is_time(const struct element *element)
{
	return element->kind == 'M' || element->kind == 'm';
}

void array_number(const struct element *element, const char *at,
		  struct number *ret_number)
{
	bool swap = element->swap;
	int64_t size = element->size;

	*ret_number = (struct number){ .kind = NUMBER_NONE };
	switch (element->kind) {
	case 'b':
	case 'u':
	case 'i':
	case 'M':
	case 'm':
		if (size < 1 || size > 8)
			return;
		ret_number->kind =
			element->kind == 'u' ? NUMBER_UINT : NUMBER_INT;
		ret_number->integer =
			load_int(at, size, swap,
				 element->kind != 'u' && element->kind != 'b');
		ret_number->real =
			element->kind == 'u'
				? (double)(uint64_t)ret_number->integer
				: (double)ret_number->integer;
		break;
	case 'f':
	case 'B':
		ret_number->kind = NUMBER_REAL;
		ret_number->real =
			load_real(at, size, swap, element->kind == 'B');
		break;
	case 'c':
		ret_number->kind = NUMBER_REAL;
		ret_number->real = load_real(at, size / 2, swap, false);
		ret_number->imaginary =
			load_real(at + size / 2, size / 2, swap, false);
		break;
	}
}

static bool less(const struct number *a, const struct number *b)
{
	if (a->kind == NUMBER_INT)
		return a->integer < b->integer;
	if (a->kind == NUMBER_UINT)
		return (uint64_t)a->integer < (uint64_t)b->integer;
	return a->real < b->real;
}

static void take(struct array_stats *stats, const struct element *element,
		 const struct number *number)
{
	if (number->real != number->real ||
	    number->imaginary != number->imaginary ||
	    (is_time(element) && number->integer == INT64_MIN)) {
		stats->nan++;
		return;
	}
	if (!stats->numbers || less(number, &stats->least))
		stats->least = *number;
	if (!stats->numbers || less(&stats->most, number))
		stats->most = *number;
	stats->numbers++;
	stats->mean += number->real;
}

bool array_stats(const struct array *array, struct array_stats *ret_stats)
{
	int64_t count = array_count(array);
	struct array_walk walk;
	struct number number;

	memset(ret_stats, 0, sizeof *ret_stats);
	if (!array->data || count <= 0)
		return false;
	if (count > ARRAY_SAMPLE)
		count = ARRAY_SAMPLE;
	ret_stats->sampled = count;
	array_walk_begin(&walk, array);
	for (; count; count--) {
		array_number(&array->element, walk.at, &number);
		if (number.kind == NUMBER_NONE)
			return false;
		take(ret_stats, &array->element, &number);
		array_walk_next(&walk);
	}
	if (ret_stats->numbers)
		ret_stats->mean /= (double)ret_stats->numbers;
	return true;
}

size_t array_copy(const struct array *array, void *to, size_t size)
{
	size_t each = (size_t)array->element.size, used = 0;
	int64_t count = array_count(array);
	struct array_walk walk;

	if (!array->data || count <= 0 || !each)
		return 0;
	array_walk_begin(&walk, array);
	for (; count && size - used >= each; count--) {
		memcpy((char *)to + used, walk.at, each);
		used += each;
		array_walk_next(&walk);
	}
	return used;
}
