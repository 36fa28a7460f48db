/* SPDX-License-Identifier: MIT */
/*
 * idle: for how long a thread that waits has not run. Where the kernel tells
 * (CONFIG_SCHED_DEBUG), /proc/PID/task/TID/sched holds the time at which a
 * thread ran last, by the clock of the CPU that it ran on. That clock leaves
 * out interrupts and starts with the machine: it is compared by running on
 * that CPU ourselves.
 */
#ifndef NOPDB_INJECTOR_STACK_IDLE_H
#define NOPDB_INJECTOR_STACK_IDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* cpu: that the thread ran on last. False: the kernel does not tell, or the
 * thread is gone. Any thread of ours may ask; it may be moved to another CPU
 * and back. */
bool idle_read(pid_t pid, pid_t tid, int cpu, uint64_t *ret_ns);

#endif
