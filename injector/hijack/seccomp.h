/* SPDX-License-Identifier: MIT */
/*
 * seccomp: would the filters of a stopped thread let us in? A filter may kill
 * the whole process for one unexpected call, so anything but a proof that all
 * calls of the stub, of the loader and of the agent are allowed is a refusal.
 */
#ifndef NOPDB_INJECTOR_SECCOMP_H
#define NOPDB_INJECTOR_SECCOMP_H

#include "injector/hijack/bpf.h"
#include "proto/error.h"

#include <sys/types.h>

/* Examines all filters of a thread in ptrace-stop. Fails with SECCOMP. */
int seccomp_check(pid_t tid, struct error *err) NOPDB_CHECKED;

/* Do all filters of a thread in ptrace-stop surely allow a call, whatever its
 * arguments? False also when they cannot be read. */
bool seccomp_allows(pid_t tid, long number);

/* One filter: the first call it does not surely allow, as a name; NULL when
 * it allows all. has_rseq: the thread has registered a restartable sequence. */
const char *seccomp_refusal(const struct sock_filter *filter, size_t length,
			    bool has_rseq);

#endif
