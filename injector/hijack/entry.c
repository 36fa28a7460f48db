/* SPDX-License-Identifier: MIT */
#include "injector/hijack/entry.h"

#include <errno.h>
#include <string.h>

#include "injector/hijack/candidate.h"
#include "injector/hijack/die.h"
#include "injector/hijack/filters.h"
#include "injector/hijack/region.h"
#include "injector/hijack/remote_call.h"
#include "injector/hijack/sigframe.h"
#include "injector/owned.h"
#include "injector/target/process.h"
#include "injector/target/procfs.h"
#include "injector/target/threads.h"

/* Between two rounds over all threads. */
#define ROUND_PAUSE_US 200
#define ROUND_PAUSE_MAX_US 2000
/* The second choice, once the time to find a safe thread is over. */
#define INVITE_ROUNDS 20

int entry_init(struct entry *entry, const struct process_id *id,
	       const struct inject_options *options, struct interpreter *target,
	       struct error *err)
{
	memset(entry, 0, sizeof(*entry));
	entry->id = id;
	entry->options = options;
	entry->target = target;
	if (alarm_init(&entry->alarm, err))
		return -1;
	if (unwind_init(&entry->unwind, &target->modules, &target->memory,
			err)) {
		alarm_release(&entry->alarm);
		return -1;
	}
	unwind_warm(&entry->unwind);
	return 0;
}

void entry_release(struct entry *entry)
{
	unwind_release(&entry->unwind);
	alarm_release(&entry->alarm);
}

uint64_t entry_boot(const struct entry *entry)
{
	return entry->region + BOOT_DATA;
}

static void note_stop(struct entry *entry)
{
	uint64_t stopped = monotonic_ns() - entry->interrupted_ns;

	if (stopped > entry->longest_stop_ns)
		entry->longest_stop_ns = stopped;
}

/* Creates the thread; the tracee is saved and its frame written. What fails
 * before the thread exists takes the region away again. */
static int create_thread(struct entry *entry, struct remote *remote,
			 struct error *err)
{
	int created;
	bool began;

	if (region_map(remote, entry->place, err))
		return -1;
	entry->region = entry->place;
	die_point(DIE_MAPPED);
	if (region_fill(entry, err))
		goto unmap;
	if (remote_stub(remote, region_hijack_entry(entry->region),
			region_stack(entry->region), entry_boot(entry), &began,
			&created, err)) {
		if (began)
			return -1;
		goto unmap;
	}
	if (created == 0)
		return 0;
	if (entry->invites) {
		error_set(err, ERROR_NO_SAFE_THREAD,
			  "no thread at a safe point, and too many pending "
			  "calls");
		error_remedy(err, "try again");
		goto unmap;
	}
	error_set_errno(err, ERROR_ATTACH, created, "pthread_create");
	error_remedy(err, "the program may create no thread: look at its "
			  "seccomp filter, ulimit -u and its group's pids.max");
unmap:
	region_unmap(remote, entry->region);
	entry->region = 0;
	return -1;
}

/* After a time-out the thread still runs: it goes home by its frame, and the
 * new thread, should it start, finds that it is to leave. */
static int hijack(struct entry *entry, struct error *err)
{
	struct tracee *tracee = &entry->tracee;
	struct remote remote = {
		.tracee = tracee,
		.gadgets = entry->target->symbols.gadgets,
		.sigframe = entry->sigframe.address,
		.undo = entry->sigframe.undo,
		.timeout_ms = entry->options->call_ms,
		.roll_call = region_roll_call(entry->target),
	};
	struct error inner = ERROR_INIT;
	int failed = create_thread(entry, &remote, &inner);

	if (failed && entry->region)
		region_abort(entry);
	if (tracee->stop.kind == STOP_NONE || tracee->stop.kind == STOP_GONE) {
		note_stop(entry);
		goto out;
	}
	if (tracee_restore(tracee, failed ? NULL : &inner))
		failed = -1;
	sigframe_erase(&entry->sigframe, &entry->target->memory);
	die_point(DIE_RESTORED);
	tracee_release(tracee);
	entry->pause_ns = monotonic_ns() - entry->interrupted_ns;
	note_stop(entry);
	die_point(DIE_DETACHED);
	if (entry->region)
		region_left(entry);
out:
	if (failed && err)
		*err = inner;
	return failed;
}

int entry_permit(const struct entry *entry, struct error *err)
{
	const struct inject_options *options = entry->options;

	return options->permit ? options->permit(options->permit_arg, err) : 0;
}

/* A thread of which nothing can be read is gone, unless we cannot read. */
static int unread(pid_t pid, pid_t tid, int cause, struct error *err)
{
	if (!process_is_gone(cause))
		return process_unread(pid, cause, err);
	return error_set(err, ERROR_NO_PROCESS,
			 "thread %d is not of process %d any more", tid, pid);
}

/* As long as the thread is stopped the process cannot become another: an exec
 * ends the thread first. It may have had another's id, though. What is judged
 * besides are the filters of the thread that is to create ours. */
static int permit_stopped(struct entry *entry, struct error *err)
{
	pid_t pid = entry->id->pid, tid = entry->tracee.tid;
	struct procfs_status status;

	if (!procfs_status_of(entry->status, &status) ||
	    (entry->options->permit && !process_same(entry->id)))
		return unread(pid, tid, errno, err);
	entry->fd_table = status.fd_table;
	if (entry_permit(entry, err) || filters_check(tid, &status, err))
		return -1;
	if (!entry->invites || tid == pid)
		return 0;
	if (!procfs_thread_status(pid, pid, &status))
		return unread(pid, pid, errno, err);
	return filters_check(pid, &status, err);
}

/* Takes a thread that is stopped at a safe point, or lets it go: > 0. */
static int take(struct entry *entry, struct error *err)
{
	struct tracee *tracee = &entry->tracee;

	if (permit_stopped(entry, err)) {
		tracee_leave(tracee);
		return -1;
	}
	die_point(DIE_STOPPED);
	if (tracee_save(tracee, err)) {
		tracee_leave(tracee);
		return -1;
	}
	if (!sigframe_write(tracee, &entry->target->memory,
			    &entry->target->symbols.gadgets, entry->place,
			    BOOT_REGION, &entry->sigframe, err)) {
		die_point(DIE_FRAMED);
		return hijack(entry, err);
	}
	if (tracee_restore(tracee, NULL))
		error_set(err, ERROR_ATTACH, "thread %d was lost", tracee->tid);
	tracee_release(tracee);
	return 1;
}

static int try_thread(struct entry *entry, pid_t tid,
		      enum candidate_demand demand, struct error *err)
{
	owned_fd status = procfs_thread_status_open(entry->id->pid, tid);
	int found;

	if (status < 0)
		return process_is_gone(errno)
			       ? 1
			       : unread(entry->id->pid, tid, errno, err);
	entry->status = status;
	tracee_init(&entry->tracee, entry->id->pid, tid, &entry->alarm);
	entry->tries++;
	entry->interrupted_ns = monotonic_ns();
	found = candidate_stop(entry, demand, err);
	if (found == CANDIDATE_SAFE)
		return take(entry, err);
	note_stop(entry);
	return found == CANDIDATE_FATAL ? -1 : 1;
}

/* One round over the threads, best first. 0: done, 1: none was safe. */
static int try_all(struct entry *entry, enum candidate_demand demand,
		   unsigned *ret_candidates, struct error *err)
{
	struct threads threads;
	int result = 1;

	if (threads_read(entry->id->pid, &threads, err))
		return -1;
	*ret_candidates = 0;
	for (size_t i = 0; i < threads.count && result > 0; i++) {
		if (threads.list[i].rank >= THREAD_SKIP)
			break;
		++*ret_candidates;
		result = try_thread(entry, threads.list[i].tid, demand, err);
	}
	threads_release(&threads);
	return result;
}

static int give_up(const struct entry *entry, unsigned candidates,
		   struct error *err)
{
	struct procfs_stat stat;

	if (!process_same(entry->id))
		return error_set(err, ERROR_TARGET_EXIT,
				 "process %d ended meanwhile", entry->id->pid);
	if (!candidates && procfs_stat(entry->id->pid, &stat) &&
	    stat.state == 'T') {
		error_set(err, ERROR_STOPPED, "process %d is stopped",
			  entry->id->pid);
		return error_remedy(err, "let it run: kill -CONT %d",
				    entry->id->pid);
	}
	if (!candidates)
		error_set(err, ERROR_TIMEOUT,
			  "every thread is in an uninterruptible wait (vfork, "
			  "a file system), or in a write or receive that a "
			  "stop would cut short");
	else if (err && err->code == ERROR_NO_SAFE_THREAD)
		error_wrap(err, "%u tries", entry->tries);
	else
		error_set(err, ERROR_NO_SAFE_THREAD,
			  "no thread at a safe point in %u tries",
			  entry->tries);
	return error_remedy(err, "try again");
}

/* No safe thread was found: one in an allocator will do to have the agent's
 * thread created by a pending call. Returns as try_all(). */
static int invite(struct entry *entry, struct error *err)
{
	const struct timespec pause = { 0, ROUND_PAUSE_US * 1000 };
	unsigned candidates;
	int result = 1;

	for (int i = 0; i < INVITE_ROUNDS && result > 0; i++) {
		result = try_all(entry, DEMAND_INVITING, &candidates, err);
		if (result > 0)
			nanosleep(&pause, NULL);
	}
	return result;
}

/* An incomplete call chain counts only in the second half of the time. */
int entry_run(struct entry *entry, struct error *err)
{
	unsigned search_ms = entry->options->search_ms, candidates = 0;
	struct deadline whole = deadline_in_ms(search_ms);
	struct deadline strict = deadline_in_ms(search_ms / 2);
	struct timespec pause = { 0, ROUND_PAUSE_US * 1000 };
	int result;

	if (region_choose(entry->id->pid, &entry->place, err))
		return -1;
	for (;;) {
		result = try_all(entry,
				 deadline_passed(&strict) ? DEMAND_RELAXED
							  : DEMAND_SAFE,
				 &candidates, err);
		if (result > 0 && candidates && deadline_passed(&whole))
			result = invite(entry, err);
		if (result <= 0)
			return result;
		if (deadline_passed(&whole))
			return give_up(entry, candidates, err);
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < ROUND_PAUSE_MAX_US * 1000)
			pause.tv_nsec += pause.tv_nsec / 8;
	}
}
