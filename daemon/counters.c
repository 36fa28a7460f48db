/* SPDX-License-Identifier: MIT */
#include "daemon/counters.h"

#include <uv.h>

void counters_failure(struct counters *counters, enum error_code code)
{
	if ((unsigned)code < ERROR_COUNT)
		counters->failures[code]++;
}

uint64_t counters_rss_kb(void)
{
	size_t rss = 0;

	if (uv_resident_set_memory(&rss))
		return 0;
	return rss / 1024;
}
