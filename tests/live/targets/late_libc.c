/* SPDX-License-Identifier: MIT */
/* late_libc: for LD_AUDIT, without a C library of its own: the program's is
 * looked for a second later (rtld-audit(7)). */
#include <link.h>

#include "tests/live/targets/raw_sleep.h"

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

char *la_objsearch(const char *name, uintptr_t *cookie, unsigned flag)
{
	(void)cookie;
	if (flag == LA_SER_ORIG && is_late(name))
		raw_sleep((struct timespec){ .tv_sec = 1 });
	return (char *)name;
}
