/* SPDX-License-Identifier: MIT */
/* slow_spawn: for LD_PRELOAD; a child of vfork that becomes the leader of a
 * session, as subprocess can, takes its time in its parent's memory. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 4

pid_t setsid(void)
{
	struct timespec time = { .tv_sec = SECONDS };
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_nanosleep), "D"(&time), "S"(0)
			 : "rcx", "r11", "memory");
	return (pid_t)syscall(SYS_setsid);
}
