/* SPDX-License-Identifier: MIT */
/* A library whose inner function has its name in a debug file alone. */
#include <unistd.h>

static __attribute__((noinline)) int wait_inside(int times)
{
	while (times-- > 0)
		pause();
	return times;
}

int enter(int times);

int enter(int times)
{
	return wait_inside(times) + 1;
}
