/* SPDX-License-Identifier: MIT */
/*
 * kernel: what the kernel says about one thread of a process, from
 * /proc/PID/task/TID. Two equal looks mean that the thread did not run in
 * between.
 */
#ifndef NOPDB_INJECTOR_STACK_KERNEL_H
#define NOPDB_INJECTOR_STACK_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

struct kernel_thread {
	char state;   /* R S D T t Z X; 0: gone, or not asked for */
	int cpu;      /* that it ran on last, by the same word; -1: unknown */
	bool waiting; /* in the kernel: sp and pc are known */
	long syscall; /* -1: none */
	uint64_t argument[6];
	uint64_t sp, pc;
	uint64_t slices; /* of time that it ran; 0: not told */
};

/* False: the thread is gone. */
bool kernel_look(pid_t pid, pid_t tid, struct kernel_thread *ret_thread);

/* The folder of a process's threads, for kernel_watch_open; -1: gone. */
int kernel_tasks(pid_t pid);

/* The files of a thread that tell whether it runs: opened once, read often. */
struct kernel_watch {
	pid_t tid;
	int count, call; /* owned */
};

/* False: it is gone, or may not be looked at. */
bool kernel_watch_open(int tasks, pid_t tid, struct kernel_watch *ret_watch);
void kernel_watch_close(struct kernel_watch *watch);
/* What a thread that waits waits in (not its state). False: it does not wait,
 * or this kernel does not count. */
bool kernel_watch_begin(const struct kernel_watch *watch,
			struct kernel_thread *ret_thread);
/* Has it not run since? */
bool kernel_watch_still(const struct kernel_watch *watch,
			const struct kernel_thread *before);

/* Its state and its CPU alone; false: gone. */
bool kernel_state(pid_t pid, pid_t tid, struct kernel_thread *thread);

/* Two looks found it waiting at the same place. */
bool kernel_same_place(const struct kernel_thread *before,
		       const struct kernel_thread *after);

/* ... and it has not run. */
bool kernel_same(const struct kernel_thread *before,
		 const struct kernel_thread *after);

/* Has a thread that waited not run since it was looked at? */
bool kernel_still(pid_t pid, pid_t tid, const struct kernel_thread *before);

/* The thread's name and the kernel's function that it waits in; "" each when
 * it is not told. */
void kernel_name(pid_t pid, pid_t tid, char *buf, size_t size);
void kernel_wchan(pid_t pid, pid_t tid, char *buf, size_t size);

/* Thread ids of a process, in ascending order, to be freed; at most max, the
 * rest is counted. Fails with NO_PROCESS or NO_MEMORY. */
int kernel_threads(pid_t pid, size_t max, pid_t **ret_list, size_t *ret_count,
		   size_t *ret_more, struct error *err) NOPDB_CHECKED;

/* The processes that a process's threads started and that live; at most max.
 * Their number; 0 also where the kernel does not tell. */
size_t kernel_children(pid_t pid, const pid_t *tids, size_t tid_count,
		       pid_t *list, size_t max);

#endif
