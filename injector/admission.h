/* SPDX-License-Identifier: MIT */
/*
 * admission: the preconditions of entering a process, one function each.
 * preflight() reports them all, inject_agent() stops at the first that fails.
 * Nothing is changed in the target. All return 0, or -1 with err.
 */
#ifndef NOPDB_INJECTOR_ADMISSION_H
#define NOPDB_INJECTOR_ADMISSION_H

#include <stdbool.h>

#include "injector/target/procfs.h"
#include "proto/error.h"

/* What the kernel's answer may have hung on. */
struct permission {
	uid_t own, target;
	bool root;     /* we have CAP_SYS_PTRACE */
	bool dumpable; /* the target is */
	long scope;    /* of Yama; 0: off, or not there */
};

/* What can be done about a refusal. */
const char *admit_permission_remedy(const struct permission *permission);

/* The kernel has what we enter with. SYSTEM. */
int admit_machine(struct error *err) NOPDB_CHECKED;

/* The process is there and has not ended. NO_PROCESS, ZOMBIE. */
int admit_process(pid_t pid, struct procfs_status *ret_status,
		  struct procfs_stat *ret_stat,
		  struct error *err) NOPDB_CHECKED;

/* The kernel would let us trace it, asked by opening its memory. It answers
 * with the very rule of PTRACE_ATTACH, security modules included.
 * NOT_PERMITTED. */
int admit_permission(pid_t pid, const struct procfs_status *status,
		     struct error *err) NOPDB_CHECKED;

/* Nobody traces it. TRACED. */
int admit_tracer(pid_t pid, const struct procfs_status *status,
		 struct error *err) NOPDB_CHECKED;

/* Its memory is not its parent's. BUSY. */
int admit_memory(pid_t pid, const struct procfs_stat *stat,
		 struct error *err) NOPDB_CHECKED;

/* It is neither stopped nor frozen by its control group. STOPPED. */
int admit_state(pid_t pid, const struct procfs_stat *stat,
		struct error *err) NOPDB_CHECKED;

/* Its control groups leave it the memory that the agent takes there: otherwise
 * the kernel would end it; and so do its limits. NO_MEMORY. */
int admit_room(pid_t pid, const struct procfs_status *status,
	       struct error *err) NOPDB_CHECKED;

/* No thread has a seccomp filter, or all filters can be examined. SECCOMP.
 * ret_filtered says whether there is one. */
int admit_seccomp(pid_t pid, bool *ret_filtered,
		  struct error *err) NOPDB_CHECKED;

/* No CPU feature forbids the way home through a signal frame. UNSUPPORTED. */
int admit_cpu(const struct procfs_status *status,
	      struct error *err) NOPDB_CHECKED;

/* Some thread can be stopped. TIMEOUT. */
int admit_threads(pid_t pid, struct error *err) NOPDB_CHECKED;

/* No agent of another daemon is in it. BUSY. */
int admit_agent(pid_t pid, struct error *err) NOPDB_CHECKED;

/* The target could load the agent from somewhere. ATTACH. */
int admit_file(pid_t pid, struct error *err) NOPDB_CHECKED;

#endif
