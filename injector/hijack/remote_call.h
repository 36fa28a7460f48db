/* SPDX-License-Identifier: MIT */
/*
 * remote_call: what a hijacked thread is made to do: system calls, and the
 * stub. The tracee must be saved and its signal frame written. No text is
 * patched and nothing is single-stepped: both would outlive a dead tracer.
 *
 * After a failure with TIMEOUT the thread still runs and must not be
 * touched any more; after any other it is stopped.
 */
#ifndef NOPDB_INJECTOR_REMOTE_CALL_H
#define NOPDB_INJECTOR_REMOTE_CALL_H

#include "injector/hijack/tracee.h"

struct remote {
	struct tracee *tracee;
	struct gadgets gadgets;
	uint64_t sigframe; /* SP for system calls, and the way home */
	uint64_t undo;	   /* SP while the region is mapped: see sigframe.h */
	unsigned timeout_ms;
	int roll_call; /* see proto/boot.h: not kept back from the stub */
};

/* One system call with that SP. *ret_result is the kernel's answer, -errno
 * included. */
int remote_syscall(const struct remote *remote, uint64_t sp, long number,
		   const uint64_t arguments[6], int64_t *ret_result,
		   struct error *err) NOPDB_CHECKED;

/* Runs the stub's hijack entry at pc on a stack of its own, until it reports
 * back; *ret_result is what creating the thread returned there. Fails with
 * ATTACH (a fault), TIMEOUT or TARGET_EXIT; *ret_began, always written: has it
 * run at all? */
int remote_stub(const struct remote *remote, uint64_t pc, uint64_t sp,
		uint64_t boot, bool *ret_began, int *ret_result,
		struct error *err) NOPDB_CHECKED;

#endif
