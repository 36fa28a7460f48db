/* SPDX-License-Identifier: MIT */
/* slow_spawn: for LD_PRELOAD; a child of vfork that becomes the leader of a
 * session, as subprocess can, stays in its parent's memory until there is a
 * file $SLOW_SPAWN. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS 50000000

/* Not in the C library, where it could not be entered. */
static void wait_a_moment(void)
{
	struct timespec time = { .tv_nsec = WAIT_NS };
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_nanosleep), "D"(&time), "S"(0)
			 : "rcx", "r11", "memory");
}

pid_t setsid(void)
{
	const char *path = getenv("SLOW_SPAWN");

	while (path && access(path, F_OK))
		wait_a_moment();
	return (pid_t)syscall(SYS_setsid);
}
