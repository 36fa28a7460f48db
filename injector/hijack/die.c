/* SPDX-License-Identifier: MIT */
#include "injector/hijack/die.h"

#ifdef NOPDB_DIE_POINTS
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void die_point(enum die_point point)
{
	const char *at = getenv("NOPDB_DIE_AT");

	if (!at || strtol(at, NULL, 10) != (long)point)
		return;
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}
#else
/* A translation unit holds at least one declaration. */
typedef int die_points_are_off;
#endif
