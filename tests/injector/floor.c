/* SPDX-License-Identifier: MIT */
/*
 * floor: what stopping a thread costs on this machine when nothing is done
 * with it: SEIZE, INTERRUPT, DETACH, N times. `floor PID N` prints one line of
 * JSON, microseconds from INTERRUPT to DETACH.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "injector/hijack/tracee.h"

#define FLOOR_CYCLES_MAX 100000
#define FLOOR_STOP_MS 1000
#define FLOOR_PAUSE_US 500

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* A thread in a signal's or a group's stop is let go, and not counted. */
static int stop_once(struct tracee *tracee, uint64_t *ret_ns, struct error *err)
{
	struct deadline deadline = deadline_in_ms(FLOOR_STOP_MS);
	uint64_t began;

	if (tracee_seize(tracee, err))
		return -1;
	began = monotonic_ns();
	if (tracee_interrupt(tracee, err))
		return -1;
	tracee_wait(tracee, &deadline);
	tracee_leave(tracee);
	if (tracee->stop.kind != STOP_INTERRUPT)
		return error_set(err, ERROR_BUSY, "another stop came first");
	*ret_ns = monotonic_ns() - began;
	return 0;
}

static int measure(pid_t pid, long cycles, const struct alarm *alarm)
{
	uint64_t *spans = calloc((size_t)cycles, sizeof(*spans));
	struct tracee *tracee = calloc(1, sizeof(*tracee));
	struct error err = ERROR_INIT;
	long count = 0;

	for (long i = 0; spans && tracee && i < cycles; i++) {
		tracee_init(tracee, pid, pid, alarm);
		count += !stop_once(tracee, &spans[count], &err);
		usleep(FLOOR_PAUSE_US);
	}
	if (count) {
		long middle = count / 2, high = (count - 1) * 99 / 100;

		qsort(spans, (size_t)count, sizeof(*spans), compare);
		printf("{\"count\": %ld, \"p50\": %.1f, \"p99\": %.1f, "
		       "\"max\": %.1f}\n",
		       count, (double)spans[middle] / 1e3,
		       (double)spans[high] / 1e3,
		       (double)spans[count - 1] / 1e3);
	} else {
		fprintf(stderr, "floor: %s\n", err.msg);
	}
	free(spans);
	free(tracee);
	return count ? 0 : 1;
}

int main(int argc, char **argv)
{
	long pid = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long cycles = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	struct error err = ERROR_INIT;
	struct alarm alarm;
	int status;

	if (pid < 1 || cycles < 1 || cycles > FLOOR_CYCLES_MAX) {
		fprintf(stderr, "usage: floor PID N\n");
		return 2;
	}
	if (alarm_init(&alarm, &err)) {
		fprintf(stderr, "floor: %s\n", err.msg);
		return 1;
	}
	status = measure((pid_t)pid, cycles, &alarm);
	alarm_release(&alarm);
	return status;
}
