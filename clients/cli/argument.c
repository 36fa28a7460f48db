/* SPDX-License-Identifier: MIT */
#include "clients/cli/argument.h"

#include <stddef.h>

#define PID_MOST 4194304u

/* Digits only: no sign, no space, no base but ten. */
static int parse(const char *text, uint32_t most, uint32_t *ret_number)
{
	uint64_t value = 0;

	for (size_t i = 0; text[i]; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (uint64_t)(text[i] - '0');
		if (value > most)
			return -1;
	}
	if (value == 0)
		return -1;
	*ret_number = (uint32_t)value;
	return 0;
}

int argument_pid(const char *text, int *ret_pid, struct error *err)
{
	uint32_t number;

	if (parse(text, PID_MOST, &number) < 0) {
		error_set(err, ERROR_USAGE, "PID %s: not a process id", text);
		return error_remedy(err, "nopdb ps lists the processes");
	}
	*ret_pid = (int)number;
	return 0;
}

int argument_probe(const char *text, uint32_t *ret_probe, struct error *err)
{
	if (parse(text, UINT32_MAX, ret_probe) < 0) {
		error_set(err, ERROR_USAGE, "ID %s: not a probe's id", text);
		return error_remedy(err, "nopdb list shows the probes");
	}
	return 0;
}
