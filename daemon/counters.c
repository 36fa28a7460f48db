/* SPDX-License-Identifier: MIT */
#include "daemon/counters.h"

#include <dirent.h>

#include <uv.h>

const unsigned counters_pause_us[COUNTERS_PAUSES] = {
	100,   250,   500,   1000,   2500,   5000,
	10000, 25000, 50000, 100000, 250000, 1000000,
};

void counters_failure(struct counters *counters, enum error_code code)
{
	if ((unsigned)code < ERROR_COUNT)
		counters->failures[code]++;
}

void counters_not_attached(struct counters *counters, enum error_code code)
{
	if ((unsigned)code < ERROR_COUNT)
		counters->not_attached[code]++;
}

void counters_attached(struct counters *counters, uint64_t pause_us)
{
	unsigned i = 0;

	while (i < COUNTERS_PAUSES && pause_us > counters_pause_us[i])
		i++;
	counters->pauses[i]++;
	counters->pause_sum_us += pause_us;
	counters->attaches++;
}

const char *counters_loss_name(enum loss_reason reason)
{
	static const char *const names[LOSS_REASONS] = {
		[LOSS_RING] = "ring",	    [LOSS_RATE] = "rate",
		[LOSS_SIZE] = "size",	    [LOSS_CALLS] = "calls",
		[LOSS_INVALID] = "invalid", [LOSS_SLOW_CLIENT] = "slow-client",
	};

	return names[reason];
}

uint64_t counters_lost(const struct counters *counters)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOSS_REASONS; i++)
		sum += counters->lost[i];
	return sum;
}

uint64_t counters_rss_kb(void)
{
	size_t rss = 0;

	if (uv_resident_set_memory(&rss))
		return 0;
	return rss / 1024;
}

uint64_t counters_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint64_t count = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	/* The one that the look took. */
	return count - 1;
}
