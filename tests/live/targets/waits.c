/* SPDX-License-Identifier: MIT */
#include "waits.h"

#include <stdint.h>
#include <string.h>

const char *wait_name(int index);
int wait_run(const char *name, int ms, int64_t *ret_took_us);

static const struct wait *wait_at(int index)
{
	const struct wait *at = waits_timed;

	while (at->name && index--)
		at++;
	if (at->name)
		return at;
	for (at = waits_woken; at->name && index--; at++)
		;
	return at;
}

/* The name of a wait; NULL behind the last. */
const char *wait_name(int index)
{
	return wait_at(index)->name;
}

int wait_run(const char *name, int ms, int64_t *ret_took_us)
{
	struct timespec began, ended;
	int result;

	for (int i = 0; wait_at(i)->name; i++) {
		if (strcmp(wait_at(i)->name, name) != 0)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &began);
		result = wait_at(i)->run(ms);
		clock_gettime(CLOCK_MONOTONIC, &ended);
		*ret_took_us = (ended.tv_sec - began.tv_sec) * 1000000 +
			       (ended.tv_nsec - began.tv_nsec) / 1000;
		return result;
	}
	return -ENOSYS;
}
