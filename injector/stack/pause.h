/* SPDX-License-Identifier: MIT */
/*
 * pause: stops threads of a target for a moment, by ptrace, and lets them go
 * on as they were. Only where the caller asked for it. Belongs to the calling
 * thread, as ptrace does: a thread that would not stop in time is let go by
 * the kernel when the calling thread ends.
 */
#ifndef NOPDB_INJECTOR_STACK_PAUSE_H
#define NOPDB_INJECTOR_STACK_PAUSE_H

#include "injector/hijack/alarm.h"
#include "injector/hijack/tracee.h"
#include "injector/stack/kernel.h"

struct paused {
	struct tracee tracee;
	struct kernel_thread before; /* by pause_all */
	bool asked, stopped;
	uint64_t since_ns;
};

struct pause {
	pid_t pid;
	struct alarm alarm;
	bool ready;
	struct paused **list; /* by time of stopping */
	size_t count, room;
	uint64_t longest_ns; /* that any thread was stopped */
	unsigned stopped;    /* threads, ever */
};

int pause_init(struct pause *pause, pid_t pid, struct error *err) NOPDB_CHECKED;
/* Lets all go on. */
void pause_release(struct pause *pause);

/* Stops one thread. Fails with TIMEOUT, NO_PROCESS, TRACED, NOT_PERMITTED. */
int pause_thread(struct pause *pause, pid_t tid, unsigned budget_ms,
		 struct error *err) NOPDB_CHECKED;

/* Stops all, those that appear meanwhile too. Those that do not stop in time
 * (in uninterruptible sleep) are left out. Fails as pause_thread for the
 * first that may not be traced. */
int pause_all(struct pause *pause, unsigned budget_ms,
	      struct error *err) NOPDB_CHECKED;

/* What a thread that pause_all() stopped did when it was stopped: in it the
 * kernel says of each that it is traced. */
void pause_look(const struct pause *pause, pid_t tid,
		struct kernel_thread *ret_thread);

/* Registers of a thread that is stopped; false: it is not. */
bool pause_regs(const struct pause *pause, pid_t tid, struct regs *ret_regs);

/* Lets all that are stopped go on. */
void pause_end(struct pause *pause);

#endif
