/* SPDX-License-Identifier: MIT */
/*
 * process: the ways in which a PID is no process that can be entered, each
 * said in one place. The identity itself is in injector.h.
 */
#ifndef NOPDB_INJECTOR_PROCESS_H
#define NOPDB_INJECTOR_PROCESS_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include "injector/target/procfs.h"
#include "proto/error.h"

/* NO_PROCESS: there is none of this id. Returns -1. */
int process_missing(pid_t pid, struct error *err);

/* Does /proc say by this errno that there is none, or none any more? */
static inline bool process_is_gone(int cause)
{
	return cause == ENOENT || cause == ESRCH;
}

/* What /proc would not tell of a process, by errno: NO_PROCESS when there is
 * none, else NOT_PERMITTED, NO_MEMORY or SYSTEM. Returns -1. */
int process_unread(pid_t pid, int cause, struct error *err);

/* NO_PROCESS: the id is that of a thread of process tgid. Returns -1. */
int process_is_thread(pid_t pid, pid_t tgid, struct error *err);

/* ZOMBIE: it ended and waits for its parent, or its first thread did, by its
 * line in /proc. Returns -1. */
int process_ended(pid_t pid, const struct procfs_stat *stat, struct error *err);

/* After a failure: a process that ends lacks what it lacks because it ends (its
 * memory goes before its id), which err says then instead: ZOMBIE, NO_PROCESS.
 * Returns -1. */
int process_lacks(pid_t pid, struct error *err);

#endif
