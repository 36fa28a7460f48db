/* SPDX-License-Identifier: MIT */
/* slow_start: for LD_PRELOAD; takes its time when it is relocated, constructed
 * and destroyed, which the dynamic linker does before main and at exit. */
#include <sys/syscall.h>
#include <time.h>

#define SECONDS 2

/* The C library cannot be called yet. */
static void take_time(void)
{
	struct timespec time = { .tv_sec = SECONDS };
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_nanosleep), "D"(&time), "S"(0)
			 : "rcx", "r11", "memory");
}

static int nothing(void)
{
	return 0;
}

static __attribute__((used)) int (*resolve(void))(void)
{
	take_time();
	return nothing;
}

int slow_start(void) __attribute__((ifunc("resolve")));

/* Makes the linker resolve it, however late it binds. */
int (*const slow_start_used)(void) = slow_start;

static void __attribute__((constructor)) construct(void)
{
	take_time();
}

static void __attribute__((destructor)) destroy(void)
{
	take_time();
}
