/* SPDX-License-Identifier: MIT */
#include "injector/target/memory_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "injector/owned.h"

#define STAT_MAX 8192u

struct names {
	const char *controller, *limit, *use, *prefix;
};

static const struct names versions[] = {
	{ NULL, "memory.max", "memory.current", "" },
	{ "memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	  "total_" },
};

/* Of "name number" lines; 0: there is no such line. */
static uint64_t number_of(const char *stat, const char *prefix,
			  const char *name)
{
	char wanted[64];
	size_t length =
		(size_t)snprintf(wanted, sizeof(wanted), "%s%s ", prefix, name);

	for (const char *line = stat; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, wanted, length))
			return strtoull(line + length, NULL, 10);
	}
	return 0;
}

uint64_t memory_group_count(const char *limit, const char *use,
			    const char *stat, const char *prefix)
{
	uint64_t most = strtoull(limit, NULL, 10);
	uint64_t used = strtoull(use, NULL, 10);
	uint64_t cache = number_of(stat, prefix, "inactive_file") +
			 number_of(stat, prefix, "active_file") +
			 number_of(stat, prefix, "slab_reclaimable");

	if (limit[0] < '0' || limit[0] > '9') /* "max" */
		return UINT64_MAX;
	used -= cache < used ? cache : used;
	return used < most ? most - used : 0;
}

static uint64_t left_in(const struct control_group *group,
			const struct names *names)
{
	char limit[64], use[64], stat[STAT_MAX];

	if (!control_group_read(group, names->limit, limit, sizeof(limit)) ||
	    !control_group_read(group, names->use, use, sizeof(use)))
		return UINT64_MAX;
	(void)control_group_read(group, "memory.stat", stat, sizeof(stat));
	return memory_group_count(limit, use, stat, names->prefix);
}

static void find_least(pid_t pid, const char *mounts, const struct names *names,
		       uint64_t *least, char *ret_group, size_t size)
{
	struct control_group group;

	if (!control_group_find(pid, mounts, names->controller, &group))
		return;
	do {
		uint64_t left = left_in(&group, names);

		if (left >= *least)
			continue;
		*least = left;
		snprintf(ret_group, size, "%s", group.folder);
	} while (control_group_up(&group));
}

uint64_t memory_group_left(pid_t pid, char *ret_group, size_t size)
{
	owned_mem char *mounts = control_group_mounts();
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; mounts && i < sizeof(versions) / sizeof(versions[0]);
	     i++)
		find_least(pid, mounts, &versions[i], &least, ret_group, size);
	return least;
}
