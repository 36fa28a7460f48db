/* SPDX-License-Identifier: MIT */
/* slow_spawn: for LD_PRELOAD; a child of vfork that becomes the leader of a
 * session, as subprocess can, stays in its parent's memory until there is a
 * file $SLOW_SPAWN. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/live/targets/raw_sleep.h"

#define WAIT_NS 50000000

pid_t setsid(void)
{
	const char *path = getenv("SLOW_SPAWN");

	while (path && access(path, F_OK))
		raw_sleep((struct timespec){ .tv_nsec = WAIT_NS });
	return (pid_t)syscall(SYS_setsid);
}
