/* SPDX-License-Identifier: MIT */
/* late_libc: for LD_AUDIT, without a C library of its own: the program's is
 * looked for a second later (rtld-audit(7)). */
#include <link.h>
#include <sys/syscall.h>
#include <time.h>

static const char late[] = "libc.so.6";

unsigned la_version(unsigned version)
{
	return version;
}

static int is_late(const char *name)
{
	const char *wanted = late;

	while (*wanted && *name == *wanted)
		name++, wanted++;
	return !*wanted && !*name;
}

static void wait_a_second(void)
{
	struct timespec time = { .tv_sec = 1 };
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_nanosleep), "D"(&time), "S"(0)
			 : "rcx", "r11", "memory");
}

char *la_objsearch(const char *name, uintptr_t *cookie, unsigned flag)
{
	(void)cookie;
	if (flag == LA_SER_ORIG && is_late(name))
		wait_a_second();
	return (char *)name;
}
