/* SPDX-License-Identifier: MIT */
/*
 * filters: the seccomp filters of all threads of a target. Each thread may
 * have its own: the new thread gets those of the one that is borrowed, and a
 * probe is hit on any.
 *
 * Threads of the same mode with as many filters count as of one kind: filters
 * are only ever added, and almost always before threads are created. One
 * thread of each kind is examined.
 */
#ifndef NOPDB_INJECTOR_FILTERS_H
#define NOPDB_INJECTOR_FILTERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "injector/target/procfs.h"
#include "proto/error.h"

struct entry;

#define FILTER_KINDS 16

struct filter_kinds {
	unsigned filters[FILTER_KINDS]; /* how many, for each kind */
	unsigned count;	     /* of kinds; 0: no thread has a filter */
	unsigned unfiltered; /* threads without */
	bool strict;	     /* a thread is in the strict mode */
};

/* Reads the kinds there are, nothing is stopped. Fails with NO_PROCESS,
 * NO_MEMORY, or SECCOMP when there are too many. */
int filter_kinds_read(pid_t pid, struct filter_kinds *ret_kinds,
		      struct error *err) NOPDB_CHECKED;

/* Is there any other thread than those of one kind? If not, entering looks at
 * the filters of the thread that it borrows, and that is all. */
bool filters_mixed(const struct filter_kinds *kinds);

/* Stops one thread of each kind, where it is safe, for as long as its filters
 * are looked at, and lets it go on. Fails as entering would; SECCOMP names the
 * call that is not allowed. On the thread that will enter. */
int filters_examine(struct entry *entry, struct error *err) NOPDB_CHECKED;

/* The filters of a thread in ptrace-stop, if it has any by its status. SECCOMP.
 */
int filters_check(pid_t tid, const struct procfs_status *status,
		  struct error *err) NOPDB_CHECKED;

#endif
