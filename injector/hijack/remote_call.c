/* SPDX-License-Identifier: MIT */
#include "injector/hijack/remote_call.h"

#include <errno.h>
#include <sys/ptrace.h>

#include "injector/hijack/die.h"

/* The kernel lets a thread be interrupted often, but not for ever. */
#define REMOTE_STOPS 64
/* The argument of the report that holds what the stub's callee returned: memory
 * would have to be waited for, since the new thread changes its mappings. */
#define REPORT_RESULT 4

static int lost(const struct tracee *tracee, struct error *err)
{
	if (tracee->stop.kind == STOP_GONE)
		return error_set(err, ERROR_TARGET_EXIT,
				 "thread %d ended while it was entered",
				 tracee->tid);
	error_set(err, ERROR_TIMEOUT, "thread %d did not come back in time",
		  tracee->tid);
	return error_remedy(err, "try again");
}

/* Twice, because what a mapping gave would stay for ever were it not known. */
static bool read_result(const struct tracee *tracee, struct regs *ret_regs)
{
	bool known = tracee_get_regs(tracee, ret_regs);

	return known || tracee_get_regs(tracee, ret_regs);
}

/* A system call shows as two stops, at entry and at exit. */
int remote_syscall(const struct remote *remote, uint64_t sp, long number,
		   const uint64_t arguments[6], int64_t *ret_result,
		   struct error *err)
{
	struct deadline deadline = deadline_in_ms(remote->timeout_ms);
	struct tracee *tracee = remote->tracee;
	struct regs regs = tracee->regs;
	int seen = 0;

	arch.set_syscall(&regs, remote->gadgets.syscall_ret, sp, number,
			 arguments);
	if (!tracee_set_regs(tracee, &regs))
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "setting registers");
	die_point(DIE_SYSCALL_SET);
	for (int i = 0; i < REMOTE_STOPS; i++) {
		if (!tracee_continue_syscall(tracee))
			return error_set_errno(err, ERROR_ATTACH, errno,
					       "running a system call");
		switch (tracee_wait(tracee, &deadline).kind) {
		case STOP_SYSCALL:
			if (++seen < 2)
				break;
			if (!read_result(tracee, &regs))
				return lost(tracee, err);
			*ret_result = (int64_t)arch.result(&regs);
			return 0;
		case STOP_SIGNAL:
			tracee_keep_signal(tracee);
			break;
		case STOP_NONE:
		case STOP_GONE:
			return lost(tracee, err);
		case STOP_INTERRUPT:
		case STOP_GROUP:
			break;
		}
	}
	return error_set(err, ERROR_ATTACH, "system call %ld did not end",
			 number);
}

static bool is_fault(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
	       signal == SIGFPE || signal == SIGTRAP || signal == SIGSYS ||
	       signal == SIGABRT;
}

/* The report is a SIGURG from the thread to itself, taken right behind libc's
 * system call with SP on the signal frame; any other SIGURG is foreign. */
static bool is_report(const struct remote *remote, const struct regs *regs)
{
	return remote->tracee->stop.signal == SIGURG &&
	       arch.pc(regs) ==
		       remote->gadgets.syscall_ret + arch.syscall_size &&
	       arch.sp(regs) == remote->sigframe;
}

enum outcome { OUTCOME_GO_ON, OUTCOME_DELIVER, OUTCOME_DONE, OUTCOME_FAULT };

static enum outcome on_signal(const struct remote *remote, struct regs *regs)
{
	struct tracee *tracee = remote->tracee;
	siginfo_t info = { 0 };

	if (tracee->stop.signal == remote->roll_call)
		return OUTCOME_DELIVER;
	if (!tracee_get_regs(tracee, regs) ||
	    ptrace(PTRACE_GETSIGINFO, tracee->tid, 0, &info))
		return OUTCOME_GO_ON;
	if (is_report(remote, regs)) {
		/* A foreign one that came first swallowed ours. */
		if (info.si_code != SI_TKILL)
			tracee_keep_signal(tracee);
		return OUTCOME_DONE;
	}
	if (is_fault(tracee->stop.signal) && info.si_code > 0)
		return OUTCOME_FAULT;
	tracee_keep_signal(tracee);
	return OUTCOME_GO_ON;
}

static int run_stub(const struct remote *remote, uint64_t pc, uint64_t sp,
		    uint64_t boot, bool *ret_began, int *ret_result,
		    struct error *err)
{
	struct deadline deadline = deadline_in_ms(remote->timeout_ms);
	struct tracee *tracee = remote->tracee;
	struct regs regs = tracee->regs;
	int deliver = 0;

	arch.set_call(&regs, pc, sp, boot);
	if (!tracee_set_regs(tracee, &regs))
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "setting registers");
	die_point(DIE_CALL_SET);
	for (int i = 0; i < REMOTE_STOPS; i++) {
		if (!tracee_continue(tracee, deliver))
			return error_set_errno(err, ERROR_ATTACH, errno,
					       "running the stub");
		*ret_began = true;
		deliver = 0;
		die_point(DIE_CALL_RUNS);
		switch (tracee_wait(tracee, &deadline).kind) {
		case STOP_SIGNAL:
			break;
		case STOP_NONE:
		case STOP_GONE:
			return lost(tracee, err);
		default:
			continue;
		}
		switch (on_signal(remote, &regs)) {
		case OUTCOME_DONE:
			die_point(DIE_CALL_DONE);
			*ret_result = (int)arch.argument(&regs, REPORT_RESULT);
			return 0;
		case OUTCOME_FAULT:
			return error_set(err, ERROR_ATTACH,
					 "signal %d at 0x%llx in the stub",
					 tracee->stop.signal,
					 (unsigned long long)arch.pc(&regs));
		case OUTCOME_DELIVER:
			deliver = tracee->stop.signal;
			break;
		case OUTCOME_GO_ON:
			break;
		}
	}
	return error_set(err, ERROR_ATTACH, "the stub did not end");
}

/* The thread that has every other change its ids holds the lock that
 * pthread_create needs, until this one has as well. */
int remote_stub(const struct remote *remote, uint64_t pc, uint64_t sp,
		uint64_t boot, bool *ret_began, int *ret_result,
		struct error *err)
{
	int failed;

	*ret_began = false;
	if (!tracee_open(remote->tracee, remote->roll_call))
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "opening signal %d", remote->roll_call);
	failed = run_stub(remote, pc, sp, boot, ret_began, ret_result, err);
	if (failed || *ret_result)
		(void)tracee_open(remote->tracee, 0);
	return failed;
}
