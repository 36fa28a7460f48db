/* SPDX-License-Identifier: MIT */
/*
 * tracee: one thread of a target under ptrace. Its verbs tell the lifecycle:
 * seize, interrupt, wait, save, ... restore, detach.
 *
 * ptrace belongs to the thread that seized. Should that thread end with a
 * tracee left, the kernel detaches it; a hijacked one then goes home by its
 * signal frame (see sigframe.h).
 */
#ifndef NOPDB_INJECTOR_TRACEE_H
#define NOPDB_INJECTOR_TRACEE_H

#include <signal.h>
#include <sys/types.h>

#include "injector/arch/arch.h"
#include "injector/hijack/alarm.h"
#include "proto/error.h"

#define TRACEE_SIGNALS 32u

enum stop_kind {
	STOP_NONE,	/* not within the time */
	STOP_GONE,	/* the thread ended */
	STOP_INTERRUPT, /* as asked */
	STOP_GROUP,	/* the whole process is stopped by a signal */
	STOP_SIGNAL,	/* a signal is about to be delivered */
	STOP_SYSCALL,	/* entering or leaving a system call */
};

struct stop {
	enum stop_kind kind;
	int signal;
};

struct tracee {
	pid_t pid, tid;
	const struct alarm *alarm; /* of the thread that traces */
	struct stop stop;	   /* the latest */
	struct regs regs;	   /* as saved */
	struct fpregs fpregs;
	uint64_t mask;
	bool retries;	  /* after EINTR, see arch->repair */
	unsigned signals; /* taken while hijacked */
	siginfo_t signal[TRACEE_SIGNALS];
};

void tracee_init(struct tracee *tracee, pid_t pid, pid_t tid,
		 const struct alarm *alarm);

/* Fails with NO_PROCESS (thread gone), NOT_PERMITTED or TRACED. */
int tracee_seize(struct tracee *tracee, struct error *err) NOPDB_CHECKED;

/* Asks for a stop, to be waited for. */
int tracee_interrupt(struct tracee *tracee, struct error *err) NOPDB_CHECKED;

/* Waits for the next stop; also kept in tracee->stop. */
struct stop tracee_wait(struct tracee *tracee, const struct deadline *deadline);

bool tracee_get_regs(const struct tracee *tracee, struct regs *ret_regs);
bool tracee_set_regs(const struct tracee *tracee, const struct regs *regs);

/* Lets the thread run: to its next stop, with a signal delivered (0: none); or
 * to the next end of a syscall. */
bool tracee_continue(const struct tracee *tracee, int signal);
bool tracee_continue_syscall(const struct tracee *tracee);

/* Keeps all registers and the signal mask; then blocks all signals but those
 * that report faults, and the one the stub reports with. */
int tracee_save(struct tracee *tracee, struct error *err) NOPDB_CHECKED;

/* While it is saved: unblocks one signal besides, or none again (0). */
bool tracee_open(const struct tracee *tracee, int signal);

/* Keeps the signal that the thread is stopped for, to be sent again. */
void tracee_keep_signal(struct tracee *tracee);

/* Undoes tracee_save, the EINTR repair applied. */
int tracee_restore(struct tracee *tracee, struct error *err) NOPDB_CHECKED;

/* Detaches; a signal that the thread is stopped for is delivered. */
void tracee_detach(struct tracee *tracee);

/* Detaches a thread that was looked at and not changed: repairs EINTR. */
void tracee_leave(struct tracee *tracee);

/* Detaches after tracee_restore, and sends the kept signals again. */
void tracee_release(struct tracee *tracee);

#endif
