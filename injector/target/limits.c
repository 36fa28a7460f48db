/* SPDX-License-Identifier: MIT */
#include "injector/target/limits.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "injector/target/procfs.h"

static uint64_t left_of(pid_t pid, __rlimit_resource_t which, uint64_t used)
{
	struct rlimit limit;

	if (prlimit(pid, which, NULL, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return used < limit.rlim_cur ? limit.rlim_cur - used : 0;
}

bool limits_locks_all(const struct procfs_status *status)
{
	return status->locked && status->locked >= status->size / 2;
}

/* statm: size, and as the sixth number data with the stacks (proc(5)). */
void limits_read(pid_t pid, const struct procfs_status *status,
		 struct limits *ret_limits)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long long size, data;
	char text[256];

	ret_limits->space = ret_limits->data = ret_limits->locked = UINT64_MAX;
	if (limits_locks_all(status) && !status->may_lock)
		ret_limits->locked =
			left_of(pid, RLIMIT_MEMLOCK, status->locked);
	if (procfs_read(pid, "statm", text, sizeof(text)) <= 0 ||
	    sscanf(text, "%llu %*u %*u %*u %*u %llu", &size, &data) != 2)
		return;
	ret_limits->space = left_of(pid, RLIMIT_AS, size * page);
	ret_limits->data = left_of(pid, RLIMIT_DATA, data * page);
}
