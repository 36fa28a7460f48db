/* SPDX-License-Identifier: MIT */
#include "injector/hijack/candidate.h"

#include <stdio.h>
#include <string.h>

#include "injector/hijack/die.h"
#include "injector/hijack/safepoint.h"
#include "injector/printable.h"

/* A thread may end at any moment; that is no reason to give up. */
static enum candidate_result failed(const struct error *inner,
				    struct error *err)
{
	if (inner->code == ERROR_NO_PROCESS)
		return CANDIDATE_UNSAFE;
	if (err)
		*err = *inner;
	return CANDIDATE_FATAL;
}

/* The kernel leaves the number of the call that a signal interrupted to its
 * handler (handle_signal, arch/x86). musl has no tables to see one by. */
static bool is_call_over(const struct entry *entry, const struct regs *regs)
{
	uint8_t code[sizeof(arch.syscall_code)];

	return entry->target->musl &&
	       !(memory_read(&entry->target->memory,
			     arch.pc(regs) - arch.syscall_size, code,
			     sizeof(code)) &&
		 !memcmp(code, arch.syscall_code, sizeof(code)));
}

static enum safety judge(struct entry *entry, const struct regs *regs,
			 char *why, size_t size)
{
	uint64_t counters[UNWIND_FRAMES];
	struct safepoint point = {
		.modules = &entry->target->modules,
		.counters = counters,
		.syscall = is_call_over(entry, regs) ? -1 : arch.syscall(regs),
		.restorer = entry->target->symbols.gadgets.sigreturn,
		.futex_operation = (unsigned)arch.argument(regs, 1),
	};
	enum safety safety;

	if (safepoint_in_rseq(&entry->tracee, &entry->target->memory)) {
		snprintf(why, size, "in a restartable sequence");
		return UNSAFE;
	}
	point.count =
		unwind_walk(&entry->unwind, regs, counters, UNWIND_FRAMES);
	safety = safepoint_judge(&point);
	entry->tracee.retries = point.retries;
	entry->invites = safety == UNSAFE && point.allocates;
	snprintf(why, size, "%s", point.why);
	return safety;
}

static enum candidate_result judge_stopped(struct entry *entry,
					   enum candidate_demand demand,
					   struct error *err)
{
	struct regs regs;
	enum safety safety = UNSAFE;
	char why[96] = "its registers cannot be read";

	entry->invites = false;
	if (tracee_get_regs(&entry->tracee, &regs))
		safety = judge(entry, &regs, why, sizeof(why));
	if (safety == SAFE ||
	    (safety == SAFE_INCOMPLETE && demand >= DEMAND_RELAXED) ||
	    (entry->invites && demand == DEMAND_INVITING))
		return CANDIDATE_SAFE;
	tracee_leave(&entry->tracee);
	make_printable(why);
	error_set(err, ERROR_NO_SAFE_THREAD, "thread %d: %s", entry->tracee.tid,
		  why);
	return CANDIDATE_UNSAFE;
}

enum candidate_result candidate_stop(struct entry *entry,
				     enum candidate_demand demand,
				     struct error *err)
{
	struct deadline deadline = deadline_in_ms(entry->options->interrupt_ms);
	struct tracee *tracee = &entry->tracee;
	struct error inner = ERROR_INIT;

	if (tracee_seize(tracee, &inner))
		return failed(&inner, err);
	die_point(DIE_SEIZED);
	if (tracee_interrupt(tracee, &inner))
		return failed(&inner, err);
	switch (tracee_wait(tracee, &deadline).kind) {
	case STOP_INTERRUPT:
		return judge_stopped(entry, demand, err);
	case STOP_SIGNAL:
		tracee_detach(tracee);
		error_set(err, ERROR_NO_SAFE_THREAD,
			  "thread %d: busy with signal %d", tracee->tid,
			  tracee->stop.signal);
		return CANDIDATE_UNSAFE;
	case STOP_GROUP:
		tracee_detach(tracee);
		error_set(err, ERROR_STOPPED, "process %d is stopped",
			  tracee->pid);
		error_remedy(err, "let it run: kill -CONT %d", tracee->pid);
		return CANDIDATE_FATAL;
	case STOP_NONE:
		/* It would stop some time later, and stay so: end our thread
		 * instead, by which the kernel detaches it. */
		error_set(err, ERROR_TIMEOUT,
			  "thread %d did not stop within %u ms", tracee->tid,
			  entry->options->interrupt_ms);
		error_remedy(err, "try again");
		return CANDIDATE_FATAL;
	case STOP_SYSCALL:
		tracee_detach(tracee);
		return CANDIDATE_UNSAFE;
	case STOP_GONE:
		break;
	}
	return CANDIDATE_UNSAFE;
}
