/* SPDX-License-Identifier: MIT */
#include "injector/hijack/filters.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <time.h>

#include "injector/deadline.h"
#include "injector/hijack/candidate.h"
#include "injector/hijack/seccomp.h"
#include "injector/target/process.h"
#include "injector/target/procfs.h"
#include "injector/target/threads.h"

#define FILTERS_PAUSE_NS 1000000

static int add_kind(struct filter_kinds *kinds, unsigned filters,
		    struct error *err)
{
	for (unsigned i = 0; i < kinds->count; i++)
		if (kinds->filters[i] == filters)
			return 0;
	if (kinds->count == FILTER_KINDS) {
		error_set(err, ERROR_SECCOMP,
			  "its threads have more than %d kinds of seccomp "
			  "filters",
			  FILTER_KINDS);
		return error_remedy(err, "run the program without them");
	}
	kinds->filters[kinds->count++] = filters;
	return 0;
}

static int add_thread(struct filter_kinds *kinds, pid_t pid, pid_t tid,
		      struct error *err)
{
	struct procfs_status status;

	/* One that ended meanwhile has no filter any more. */
	if (!procfs_thread_status(pid, tid, &status))
		return process_is_gone(errno) ? 0
					      : process_unread(pid, errno, err);
	if (status.seccomp == SECCOMP_MODE_DISABLED) {
		kinds->unfiltered++;
		return 0;
	}
	kinds->strict |= status.seccomp == SECCOMP_MODE_STRICT;
	return add_kind(kinds, status.filters, err);
}

int filter_kinds_read(pid_t pid, struct filter_kinds *ret_kinds,
		      struct error *err)
{
	struct filter_kinds kinds = { .count = 0 };
	struct threads threads;
	int failed = 0;

	if (threads_read(pid, &threads, err))
		return -1;
	for (size_t i = 0; i < threads.count && !failed; i++)
		failed = add_thread(&kinds, pid, threads.list[i].tid, err);
	threads_release(&threads);
	if (!failed)
		*ret_kinds = kinds;
	return failed;
}

bool filters_mixed(const struct filter_kinds *kinds)
{
	return kinds->count + (kinds->unfiltered > 0) > 1;
}

int filters_check(pid_t tid, const struct procfs_status *status,
		  struct error *err)
{
	if (status->seccomp == SECCOMP_MODE_DISABLED)
		return 0;
	return seccomp_check(tid, err);
}

static bool is_kind(pid_t pid, pid_t tid, unsigned filters)
{
	struct procfs_status status;

	return procfs_thread_status(pid, tid, &status) &&
	       status.seccomp == SECCOMP_MODE_FILTER &&
	       status.filters == filters;
}

/* 0: allowed, 1: not stopped at a safe place, -1: refused. */
static int examine_thread(struct entry *entry, pid_t tid, bool relaxed,
			  struct error *err)
{
	struct tracee *tracee = &entry->tracee;
	int result;

	tracee_init(tracee, entry->id->pid, tid, &entry->alarm);
	switch (candidate_stop(entry, relaxed ? DEMAND_RELAXED : DEMAND_SAFE,
			       err)) {
	case CANDIDATE_SAFE:
		break;
	case CANDIDATE_UNSAFE:
		return 1;
	case CANDIDATE_FATAL:
		return -1;
	}
	result = seccomp_check(tid, err);
	tracee_leave(tracee);
	return result;
}

/* One round over the threads of a kind. 0: examined, or none is left. */
static int examine_round(struct entry *entry, unsigned filters, bool relaxed,
			 struct error *err)
{
	pid_t pid = entry->id->pid;
	struct threads threads;
	int result = 0;

	if (threads_read(pid, &threads, err))
		return -1;
	for (size_t i = 0; i < threads.count; i++) {
		pid_t tid = threads.list[i].tid;

		if (!is_kind(pid, tid, filters))
			continue;
		result = 1;
		if (threads.list[i].rank < THREAD_SKIP)
			result = examine_thread(entry, tid, relaxed, err);
		if (result <= 0)
			break;
	}
	threads_release(&threads);
	return result;
}

static int examine_kind(struct entry *entry, unsigned filters,
			struct error *err)
{
	unsigned search_ms = entry->options->search_ms;
	struct deadline whole = deadline_in_ms(search_ms);
	struct deadline strict = deadline_in_ms(search_ms / 2);
	struct timespec pause = { 0, FILTERS_PAUSE_NS };
	int result;

	for (;;) {
		result = examine_round(entry, filters, deadline_passed(&strict),
				       err);
		if (result <= 0)
			return result;
		if (deadline_passed(&whole))
			break;
		nanosleep(&pause, NULL);
	}
	error_set(err, ERROR_NO_SAFE_THREAD,
		  "no thread with %u seccomp filters could be stopped to "
		  "examine them",
		  filters);
	return error_remedy(err, "try again");
}

int filters_examine(struct entry *entry, struct error *err)
{
	struct filter_kinds kinds;

	if (filter_kinds_read(entry->id->pid, &kinds, err))
		return -1;
	for (unsigned i = 0; i < kinds.count; i++)
		if (examine_kind(entry, kinds.filters[i], err))
			return -1;
	return 0;
}
