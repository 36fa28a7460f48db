/* SPDX-License-Identifier: MIT */
#include "clients/cli/duration.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "", 1000000000 },
	{ "m", 60ull * 1000000000 },
	{ "h", 3600ull * 1000000000 },
	{ "d", 86400ull * 1000000000 },
};

static const struct unit *unit_find(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	return NULL;
}

/* Reads ".25" as 250000000 billionths; digits after the ninth are dropped. */
static const char *fraction_read(const char *p, uint64_t *ret_billionths)
{
	uint64_t value = 0;
	uint64_t scale = 100000000;

	for (; isdigit((unsigned char)*p); p++) {
		value += (uint64_t)(*p - '0') * scale;
		scale /= 10;
	}
	*ret_billionths = value;
	return p;
}

int duration_parse(const char *text, uint64_t *ret_ns)
{
	uint64_t whole = 0;
	uint64_t billionths = 0;
	uint64_t ns;
	uint64_t part;
	const struct unit *unit;
	const char *p = text;

	if (!isdigit((unsigned char)*p))
		return -1;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -1;
	if (*p == '.') {
		if (!isdigit((unsigned char)p[1]))
			return -1;
		p = fraction_read(p + 1, &billionths);
	}
	unit = unit_find(p);
	if (!unit || __builtin_mul_overflow(whole, unit->ns, &ns))
		return -1;
	part = (uint64_t)((__uint128_t)billionths * unit->ns / 1000000000);
	if (__builtin_add_overflow(ns, part, &ns) || ns > INT64_MAX)
		return -1;
	*ret_ns = ns;
	return 0;
}

const char *duration_text(uint64_t ns, char buf[DURATION_TEXT])
{
	static const struct {
		double ns;
		const char *name;
	} scales[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" } };

	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
		double value = (double)ns / scales[i].ns;
		int digits;

		if (value < 1)
			continue;
		digits = value < 10 ? 2 : value < 100 ? 1 : 0;
		snprintf(buf, DURATION_TEXT, "%.*f %s", digits, value,
			 scales[i].name);
		return buf;
	}
	snprintf(buf, DURATION_TEXT, "%" PRIu64 " ns", ns);
	return buf;
}
