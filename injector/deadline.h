/* SPDX-License-Identifier: MIT */
/*
 * deadline: a point on the monotonic clock, and the waiting between two looks
 * at something that the kernel offers no descriptor for.
 */
#ifndef NOPDB_INJECTOR_DEADLINE_H
#define NOPDB_INJECTOR_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct deadline {
	uint64_t end_ns;
	uint64_t pause_ns; /* of the next sleep */
	uint64_t spin_until_ns;
};

#define DEADLINE_SPIN 20000u
#define DEADLINE_PAUSE_MIN 20000u
#define DEADLINE_PAUSE_MAX 500000u

static inline uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline struct deadline deadline_in_ms(unsigned ms)
{
	uint64_t now = monotonic_ns();
	struct deadline deadline = {
		.end_ns = now + (uint64_t)ms * 1000000u,
		.pause_ns = DEADLINE_PAUSE_MIN,
		.spin_until_ns = now + DEADLINE_SPIN,
	};

	return deadline;
}

static inline bool deadline_passed(const struct deadline *deadline)
{
	return monotonic_ns() >= deadline->end_ns;
}

/* Spins a little first, because most waits end within microseconds, then
 * sleeps for growing times. It does not yield: on a busy machine that costs a
 * whole time slice. False when the deadline has passed. */
static inline bool deadline_wait(struct deadline *deadline)
{
	uint64_t now = monotonic_ns();
	struct timespec pause;

	if (now >= deadline->end_ns)
		return false;
	if (now < deadline->spin_until_ns)
		return true;
	pause.tv_sec = 0;
	pause.tv_nsec = (long)deadline->pause_ns;
	nanosleep(&pause, NULL);
	deadline->pause_ns += deadline->pause_ns / 4;
	if (deadline->pause_ns > DEADLINE_PAUSE_MAX)
		deadline->pause_ns = DEADLINE_PAUSE_MAX;
	return true;
}

#endif
