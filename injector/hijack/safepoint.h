/* SPDX-License-Identifier: MIT */
/*
 * safepoint: may a stopped thread be borrowed for mmap and pthread_create?
 * Only where it cannot hold a lock, or leave half-changed data, of the
 * C library, of the dynamic linker or of a memory allocator.
 *
 * Pure: judges a call chain. safepoint_rseq asks the kernel one thing.
 */
#ifndef NOPDB_INJECTOR_SAFEPOINT_H
#define NOPDB_INJECTOR_SAFEPOINT_H

#include "injector/arch/arch.h"
#include "injector/hijack/tracee.h"
#include "injector/target/memory.h"
#include "injector/target/modules.h"

enum safety {
	SAFE,
	SAFE_INCOMPLETE, /* so far as the call chain could be seen */
	UNSAFE,
};

struct safepoint {
	const struct modules *modules;
	const uint64_t *counters; /* innermost first */
	size_t count;
	long syscall; /* -1: none */
	unsigned futex_operation;
	uint64_t restorer; /* where handlers of signals return to */
	char why[96];	   /* set when not SAFE */
	bool retries;	   /* set: Python's own code made the system call */
	/* Set when UNSAFE: in an allocator. Python calls none while it has the
	 * lock of its pending calls, so one may be added on such a thread. */
	bool allocates;
};

enum safety safepoint_judge(struct safepoint *point);

/* Is the thread inside a restartable sequence? False also when the kernel
 * cannot say: then no C library uses them. */
bool safepoint_in_rseq(const struct tracee *tracee,
		       const struct memory *memory);

#endif
