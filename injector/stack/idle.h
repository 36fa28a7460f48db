/* SPDX-License-Identifier: MIT */
/*
 * idle: for how long a thread that waits has not run. Where the kernel tells
 * (CONFIG_SCHED_DEBUG), /proc/PID/task/TID/sched holds the time at which a
 * thread ran last, by the clock of the CPU that it ran on. That clock leaves
 * out interrupts and starts with the machine: it is compared by running on
 * that CPU ourselves.
 *
 * Belongs to one thread of ours, which it moves from CPU to CPU and back.
 */
#ifndef NOPDB_INJECTOR_STACK_IDLE_H
#define NOPDB_INJECTOR_STACK_IDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define IDLE_CPUS 16u /* compared in one picture */

struct idle_clocks {
	struct {
		int cpu;
		bool known;
		int64_t behind_ns; /* of the monotonic clock */
	} list[IDLE_CPUS];
	unsigned count;
};

/* False: the kernel does not tell, or the thread is gone. */
bool idle_read(struct idle_clocks *clocks, pid_t pid, pid_t tid,
	       uint64_t *ret_ns);

#endif
