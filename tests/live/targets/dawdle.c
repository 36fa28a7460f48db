/* SPDX-License-Identifier: MIT */
/* dawdle: a library with an allocator of its own, in which a thread spends all
 * of its time. */
#include <stddef.h>
#include <time.h>

__attribute__((visibility("default"))) void *malloc(size_t milliseconds);

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Looks at the clock rarely: that is code of another library. */
void *malloc(size_t milliseconds)
{
	long end = now_ms() + (long)milliseconds;

	while (now_ms() < end)
		for (volatile int i = 0; i < 100000; i++)
			;
	return NULL;
}
