/* SPDX-License-Identifier: MIT */
#include "injector/target/limits.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "injector/target/procfs.h"

static uint64_t left_of(pid_t pid, __rlimit_resource_t which,
			unsigned long long pages)
{
	uint64_t used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	struct rlimit limit;

	if (prlimit(pid, which, NULL, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return used < limit.rlim_cur ? limit.rlim_cur - used : 0;
}

/* statm: size, and as the sixth number data with the stacks (proc(5)). */
void limits_read(pid_t pid, struct limits *ret_limits)
{
	unsigned long long size, data;
	char text[256];

	ret_limits->space = ret_limits->data = UINT64_MAX;
	if (procfs_read(pid, "statm", text, sizeof(text)) <= 0 ||
	    sscanf(text, "%llu %*u %*u %*u %*u %llu", &size, &data) != 2)
		return;
	ret_limits->space = left_of(pid, RLIMIT_AS, size);
	ret_limits->data = left_of(pid, RLIMIT_DATA, data);
}
