/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "injector/injector.h"
#include "injector/target/procfs.h"

/* <linux/pidfd.h> since Linux 6.13, the mask's bit since 6.15. */
struct pidfd_info_v0 {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define PIDFD_GET_INFO_V0 _IOWR(0xff, 11, struct pidfd_info_v0)
#define PIDFD_INFO_HAS_EXIT (1u << 3)

/* Of a process that its parent has not collected: the last field of its line
 * (proc(5): exit_code), 0 when we may not trace it. */
static bool status_of_zombie(pid_t pid, int *ret_status)
{
	struct procfs_stat stat;
	const char *last;
	char text[1024];

	if (procfs_read(pid, "stat", text, sizeof(text)) < 0 ||
	    !procfs_parse_stat(text, &stat) || stat.state != 'Z')
		return false;
	text[strcspn(text, "\n")] = '\0';
	last = strrchr(text, ' ');
	*ret_status = last ? (int)strtol(last + 1, NULL, 10) : 0;
	return last;
}

bool process_exit_status(const struct process_id *id, int *ret_status)
{
	struct pidfd_info_v0 info = { .mask = PIDFD_INFO_HAS_EXIT };

	_Static_assert(sizeof(info) == 64, "PIDFD_INFO_SIZE_VER0");
	if (status_of_zombie(id->pid, ret_status))
		return true;
	if (ioctl(id->pidfd, PIDFD_GET_INFO_V0, &info) ||
	    !(info.mask & PIDFD_INFO_HAS_EXIT))
		return false;
	*ret_status = info.exit_code;
	return true;
}
