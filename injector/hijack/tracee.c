/* SPDX-License-Identifier: MIT */
#include "injector/hijack/tracee.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "injector/hijack/seccomp.h"
#include "injector/target/procfs.h"

#define KERNEL_MASK_SIZE 8
#define TRACEE_SPIN_NS 15000u
#define TRACEE_YIELD_NS 150000u

void tracee_init(struct tracee *tracee, pid_t pid, pid_t tid,
		 const struct alarm *alarm)
{
	tracee->alarm = alarm;
	tracee->pid = pid;
	tracee->tid = tid;
	tracee->stop.kind = STOP_NONE;
	tracee->stop.signal = 0;
	tracee->signals = 0;
	tracee->retries = false;
}

/* EPERM has two causes; who traces it tells them apart. */
static int refused(const struct tracee *tracee, struct error *err)
{
	struct procfs_status status;

	bool traced = procfs_status(tracee->tid, &status) && status.tracer;

	if (traced && status.tracer == gettid()) {
		error_set(err, ERROR_ATTACH,
			  "thread %d could be seized, but not stopped",
			  tracee->tid);
		return error_remedy(err, "try again");
	}
	if (traced) {
		error_set(err, ERROR_TRACED,
			  "thread %d is traced by process %d", tracee->tid,
			  status.tracer);
		return error_remedy(err, "end that debugger or tracer first");
	}
	error_set(err, ERROR_NOT_PERMITTED,
		  "the kernel refuses to trace process %d", tracee->pid);
	return error_remedy(err, "run as its user or as root; see "
				 "/proc/sys/kernel/yama/ptrace_scope");
}

int tracee_seize(struct tracee *tracee, struct error *err)
{
	if (!ptrace(PTRACE_SEIZE, tracee->tid, 0, PTRACE_O_TRACESYSGOOD))
		return 0;
	if (errno == ESRCH)
		return error_set(err, ERROR_NO_PROCESS, "thread %d is gone",
				 tracee->tid);
	if (errno == EPERM || errno == EACCES)
		return refused(tracee, err);
	return error_set_errno(err, ERROR_SYSTEM, errno, "PTRACE_SEIZE %d",
			       tracee->tid);
}

int tracee_interrupt(struct tracee *tracee, struct error *err)
{
	if (!ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0))
		return 0;
	return error_set_errno(err,
			       errno == ESRCH ? ERROR_NO_PROCESS : ERROR_SYSTEM,
			       errno, "PTRACE_INTERRUPT %d", tracee->tid);
}

static struct stop decode(int status)
{
	struct stop stop = { STOP_GONE, 0 };

	if (!WIFSTOPPED(status))
		return stop;
	stop.signal = WSTOPSIG(status);
	if (stop.signal == (SIGTRAP | 0x80)) {
		stop.kind = STOP_SYSCALL;
	} else if (status >> 16 == PTRACE_EVENT_STOP) {
		stop.kind =
			stop.signal == SIGTRAP ? STOP_INTERRUPT : STOP_GROUP;
	} else {
		stop.kind = STOP_SIGNAL;
	}
	return stop;
}

/* A stop is mostly there within microseconds, sooner than a sleeper wakes on a
 * processor that went idle; pthread_create takes longer, and whoever wants this
 * processor meanwhile, which may be the tracee, gets it. */
static bool spin(const struct tracee *tracee, int *ret_status)
{
	uint64_t begin = monotonic_ns(), spent;

	do {
		if (waitpid(tracee->tid, ret_status, __WALL | WNOHANG) ==
		    tracee->tid)
			return true;
		spent = monotonic_ns() - begin;
		if (spent > TRACEE_SPIN_NS)
			sched_yield();
	} while (spent < TRACEE_YIELD_NS);
	return false;
}

/* Sleeps until a stop, or until the alarm has ended the time. */
static struct stop sleep_for_stop(const struct tracee *tracee,
				  const struct deadline *deadline)
{
	struct stop stop = { STOP_NONE, 0 };
	int status, flags = __WALL;
	pid_t got;

	for (;;) {
		got = waitpid(tracee->tid, &status, flags);
		if (got == tracee->tid)
			return decode(status);
		if (got < 0 && errno != EINTR) {
			stop.kind = STOP_GONE;
			return stop;
		}
		if (flags & WNOHANG)
			return stop;
		/* A last look, for a stop at the very end of the time. */
		if (deadline_passed(deadline))
			flags |= WNOHANG;
	}
}

/* After a stop the kernel goes on with a timed wait by restart_syscall, which
 * seccomp judges like any other call, and the program need not have allowed.
 * Such a wait begins anew instead: futex, which Python's locks are made of,
 * has an absolute end; a poll or nanosleep lasts longer. */
static void avoid_restart(struct tracee *tracee)
{
	struct regs regs;

	if (!tracee_get_regs(tracee, &regs) || !arch.goes_on(&regs) ||
	    seccomp_allows(tracee->tid, SYS_restart_syscall))
		return;
	arch.begin_anew(&regs);
	tracee_set_regs(tracee, &regs);
}

static struct stop wait_for_stop(const struct tracee *tracee,
				 const struct deadline *deadline)
{
	struct stop stop;
	int status;

	if (spin(tracee, &status))
		return decode(status);
	alarm_set(tracee->alarm, deadline);
	stop = sleep_for_stop(tracee, deadline);
	alarm_clear(tracee->alarm);
	return stop;
}

struct stop tracee_wait(struct tracee *tracee, const struct deadline *deadline)
{
	tracee->stop = wait_for_stop(tracee, deadline);
	switch (tracee->stop.kind) {
	case STOP_INTERRUPT:
	case STOP_SIGNAL:
	case STOP_GROUP:
		avoid_restart(tracee);
		break;
	case STOP_SYSCALL:
	case STOP_NONE:
	case STOP_GONE:
		break;
	}
	return tracee->stop;
}

bool tracee_get_regs(const struct tracee *tracee, struct regs *ret_regs)
{
	struct iovec io = { ret_regs->word, sizeof(ret_regs->word) };

	if (ptrace(PTRACE_GETREGSET, tracee->tid, NT_PRSTATUS, &io))
		return false;
	ret_regs->size = io.iov_len;
	return true;
}

bool tracee_set_regs(const struct tracee *tracee, const struct regs *regs)
{
	struct iovec io = { (void *)(uintptr_t)regs->word, regs->size };

	return !ptrace(PTRACE_SETREGSET, tracee->tid, NT_PRSTATUS, &io);
}

bool tracee_continue(const struct tracee *tracee, int signal)
{
	return !ptrace(PTRACE_CONT, tracee->tid, 0, (long)signal);
}

bool tracee_continue_syscall(const struct tracee *tracee)
{
	return !ptrace(PTRACE_SYSCALL, tracee->tid, 0, 0);
}

/* Faults stay unblocked because the kernel resets the handler of a blocked
 * one that happens; SIGURG is the stub's report. */
static uint64_t hijack_mask(void)
{
	static const int open[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGILL,
				    SIGFPE,  SIGSYS,  SIGURG };
	uint64_t mask = ~0ull;

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		mask &= ~(1ull << (open[i] - 1));
	return mask;
}

bool tracee_open(const struct tracee *tracee, int signal)
{
	uint64_t mask = hijack_mask();

	if (signal)
		mask &= ~(1ull << (signal - 1));
	return !ptrace(PTRACE_SETSIGMASK, tracee->tid, KERNEL_MASK_SIZE, &mask);
}

static bool get_fpregs(const struct tracee *tracee, struct fpregs *ret_fpregs)
{
	struct iovec io = { ret_fpregs->bytes, sizeof(ret_fpregs->bytes) };

	if (ptrace(PTRACE_GETREGSET, tracee->tid, arch.fp_note, &io))
		return false;
	ret_fpregs->size = io.iov_len;
	return true;
}

static bool set_fpregs(const struct tracee *tracee)
{
	const struct fpregs *saved = &tracee->fpregs;
	struct iovec whole = { (void *)(uintptr_t)saved->bytes, saved->size };
	uint8_t bytes[FPREGS_PART];
	struct iovec part = { bytes, sizeof(bytes) };
	struct fpregs now;

	if (get_fpregs(tracee, &now) && arch.fp_part(saved, &now, bytes) &&
	    !ptrace(PTRACE_SETREGSET, tracee->tid, arch.fp_part_note, &part))
		return true;
	return !ptrace(PTRACE_SETREGSET, tracee->tid, arch.fp_note, &whole);
}

int tracee_save(struct tracee *tracee, struct error *err)
{
	if (!tracee_get_regs(tracee, &tracee->regs) ||
	    !get_fpregs(tracee, &tracee->fpregs) ||
	    ptrace(PTRACE_GETSIGMASK, tracee->tid, KERNEL_MASK_SIZE,
		   &tracee->mask))
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "saving the registers of thread %d",
				       tracee->tid);
	if (!tracee_open(tracee, 0))
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "blocking the signals of thread %d",
				       tracee->tid);
	return 0;
}

void tracee_keep_signal(struct tracee *tracee)
{
	siginfo_t *info = &tracee->signal[tracee->signals];

	if (tracee->signals == TRACEE_SIGNALS)
		return;
	if (ptrace(PTRACE_GETSIGINFO, tracee->tid, 0, info)) {
		memset(info, 0, sizeof(*info));
		info->si_signo = tracee->stop.signal;
	}
	tracee->signals++;
}

int tracee_restore(struct tracee *tracee, struct error *err)
{
	struct regs regs = tracee->regs;

	arch.repair(&regs, tracee->retries);
	if (ptrace(PTRACE_SETSIGMASK, tracee->tid, KERNEL_MASK_SIZE,
		   &tracee->mask) ||
	    !set_fpregs(tracee) || !tracee_set_regs(tracee, &regs))
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "restoring thread %d", tracee->tid);
	return 0;
}

void tracee_detach(struct tracee *tracee)
{
	long signal =
		tracee->stop.kind == STOP_SIGNAL ? tracee->stop.signal : 0;

	ptrace(PTRACE_DETACH, tracee->tid, 0, signal);
}

void tracee_leave(struct tracee *tracee)
{
	struct regs regs, repaired;

	if (tracee->stop.kind == STOP_INTERRUPT &&
	    tracee_get_regs(tracee, &regs)) {
		repaired = regs;
		arch.repair(&repaired, tracee->retries);
		if (memcmp(repaired.word, regs.word, regs.size) != 0)
			tracee_set_regs(tracee, &repaired);
	}
	tracee_detach(tracee);
}

/* The kernel lets nobody claim that a signal came from the kernel or from
 * kill(2), so those are sent plainly. */
static void send_again(const struct tracee *tracee, const siginfo_t *info)
{
	if (info->si_code < 0 && info->si_code != SI_TKILL &&
	    !syscall(SYS_rt_tgsigqueueinfo, tracee->pid, tracee->tid,
		     info->si_signo, info))
		return;
	syscall(SYS_tgkill, tracee->pid, tracee->tid, info->si_signo);
}

/* The first kept signal takes the place of the one that the thread is stopped
 * for, and so keeps its origin. */
void tracee_release(struct tracee *tracee)
{
	unsigned next = 0;
	long deliver = 0;

	if (tracee->stop.kind == STOP_SIGNAL && tracee->signals &&
	    !ptrace(PTRACE_SETSIGINFO, tracee->tid, 0, &tracee->signal[0])) {
		deliver = tracee->signal[0].si_signo;
		next = 1;
	}
	ptrace(PTRACE_DETACH, tracee->tid, 0, deliver);
	for (; next < tracee->signals; next++)
		send_again(tracee, &tracee->signal[next]);
	tracee->signals = 0;
}
