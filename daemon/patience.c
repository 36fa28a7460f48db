/* SPDX-License-Identifier: MIT */
#include "daemon/patience.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MOST_MS 600000ul

static const struct {
	const char *name;
	size_t offset;
} phases[] = {
	{ "interrupt", offsetof(struct patience, interrupt_ms) },
	{ "search", offsetof(struct patience, search_ms) },
	{ "call", offsetof(struct patience, call_ms) },
	{ "handshake", offsetof(struct patience, handshake_ms) },
	{ "gil", offsetof(struct patience, gil_ms) },
};

#define PHASES (sizeof(phases) / sizeof(phases[0]))

static int parse_value(const char *text, const char *whole, unsigned *ret_ms,
		       struct error *err)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || !value ||
	    value > PATIENCE_MOST_MS)
		return error_set(err, ERROR_USAGE,
				 "--timeout %s: not 1 to %lu milliseconds",
				 whole, PATIENCE_MOST_MS);
	*ret_ms = (unsigned)value;
	return 0;
}

int patience_parse(struct patience *patience, const char *text,
		   struct error *err)
{
	size_t length = strcspn(text, "=");

	for (size_t i = 0; i < PHASES && text[length]; i++) {
		char *field = (char *)patience + phases[i].offset;

		if (strlen(phases[i].name) == length &&
		    !strncmp(phases[i].name, text, length))
			return parse_value(text + length + 1, text,
					   (unsigned *)(void *)field, err);
	}
	error_set(err, ERROR_USAGE, "--timeout %s: not PHASE=MS", text);
	return error_remedy(err, "phases are interrupt, search, call, "
				 "handshake, gil");
}
