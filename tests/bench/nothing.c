/* SPDX-License-Identifier: MIT */
/* nothing: a trace function that does nothing, and what the machine asks for
 * the few things that no capture is without; the floors of `make bench`.
 * Without Python's headers: the types are pointers to it. */
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 200000, RECORD = 2048 };

int nothing(void *self, void *frame, int what, void *arg);
double floor_clock(void);
double floor_system_call(void);
double floor_copy(void);
double floor_wake(void);

int nothing(void *self, void *frame, int what, void *arg)
{
	return 0;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static double each(uint64_t start)
{
	return (double)(now() - start) / ROUNDS;
}

double floor_clock(void)
{
	uint64_t start = now();

	for (int i = 0; i < ROUNDS; i++)
		now();
	return each(start);
}

double floor_system_call(void)
{
	uint64_t start = now();

	for (int i = 0; i < ROUNDS; i++)
		syscall(SYS_gettid);
	return each(start);
}

/* Of a record of 2 KiB, into memory that is not in the nearest cache. */
double floor_copy(void)
{
	static char from[RECORD], to[512 * RECORD];
	uint64_t start = now();

	for (int i = 0; i < ROUNDS; i++) {
		memcpy(to + (size_t)(i % 512) * RECORD, from, RECORD);
		__asm__ volatile("" ::: "memory");
	}
	return each(start);
}

double floor_wake(void)
{
	uint64_t start, one = 1;
	int fd = eventfd(0, EFD_NONBLOCK);

	start = now();
	for (int i = 0; i < ROUNDS; i++)
		if (write(fd, &one, sizeof one) < 0)
			break;
	close(fd);
	return each(start);
}
