/* SPDX-License-Identifier: MIT */
/* slow_start: for LD_PRELOAD; takes its time when it is relocated, constructed
 * and destroyed, which the dynamic linker does before main and at exit. */
#include "tests/live/targets/raw_sleep.h"

#define SECONDS 2

static int nothing(void)
{
	return 0;
}

static __attribute__((used)) int (*resolve(void))(void)
{
	raw_sleep((struct timespec){ .tv_sec = SECONDS });
	return nothing;
}

int slow_start(void) __attribute__((ifunc("resolve")));

/* Makes the linker resolve it, however late it binds. */
int (*const slow_start_used)(void) = slow_start;

static void __attribute__((constructor)) construct(void)
{
	raw_sleep((struct timespec){ .tv_sec = SECONDS });
}

static void __attribute__((destructor)) destroy(void)
{
	raw_sleep((struct timespec){ .tv_sec = SECONDS });
}
