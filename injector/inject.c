/* SPDX-License-Identifier: MIT */
#include "injector/injector.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "injector/admission.h"
#include "injector/hijack/entry.h"
#include "injector/hijack/filters.h"
#include "injector/hijack/handshake.h"
#include "injector/pick.h"
#include "injector/target/process.h"

#define INJECT_SLACK_NS 1000
#define INJECT_NICE -10
#define AGENT_LEAVES_MS 500

struct job {
	const struct process_id *id;
	const struct inject_options *options;
	struct inject_report report;
	struct error err;
	int result;
	bool examine; /* look at the filters, no more */
	struct filter_kinds kinds;
};

/* An agent whose daemon was killed just now is leaving. */
static int wait_for_agent(pid_t pid, struct error *err)
{
	struct deadline deadline = deadline_in_ms(AGENT_LEAVES_MS);

	while (admit_agent(pid, err))
		if (!err || err->code != ERROR_BUSY ||
		    !deadline_wait(&deadline))
			return -1;
	return 0;
}

/* The process still has its id. */
static int confirm(const struct job *job, struct error *err)
{
	if (process_same(job->id))
		return 0;
	if (errno == ESRCH)
		return error_set(err, ERROR_NO_PROCESS,
				 "process %d is not the one that was opened",
				 job->id->pid);
	return process_unread(job->id->pid, errno, err);
}

static int admit(struct job *job, struct error *err)
{
	pid_t pid = job->id->pid;
	struct procfs_status status;
	struct procfs_stat stat;
	bool filtered;

	if (admit_process(pid, &status, &stat, err) ||
	    admit_permission(pid, &status, err) ||
	    admit_tracer(pid, &status, err) || admit_memory(pid, &stat, err) ||
	    admit_state(pid, &stat, err) || admit_room(pid, &status, err) ||
	    admit_seccomp(pid, &filtered, err) || admit_cpu(&status, err) ||
	    admit_file(pid, err) ||
	    (!job->examine && wait_for_agent(pid, err)) ||
	    filter_kinds_read(pid, &job->kinds, err))
		return -1;
	return confirm(job, err);
}

static int open_interpreter(struct job *job, struct interpreter *target)
{
	struct error *err = &job->err;

	if (!pick_interpreter(target, job->id->pid, err))
		return 0;
	/* What another process lacks says nothing of this one. */
	if (err->code != ERROR_ZOMBIE && err->code != ERROR_NO_PROCESS)
		(void)!confirm(job, err);
	return -1;
}

static int enter(struct job *job, struct entry *entry)
{
	struct inject_report *report = &job->report;
	struct error *err = &job->err;
	int result;

	if ((job->examine || filters_mixed(&job->kinds)) &&
	    filters_examine(entry, err))
		return -1;
	if (job->examine)
		return 0;
	result = entry_run(entry, err);
	report->hijacked_tid = entry->tracee.tid;
	report->region = entry->region;
	report->tries = entry->tries;
	report->pending_call = entry->invites;
	report->pause_ns = entry->pause_ns;
	report->longest_stop_ns = entry->longest_stop_ns;
	if (result)
		return -1;
	return handshake_run(entry, &report->control_fd, &report->agent_tid,
			     err);
}

static int resolve_and_enter(struct job *job, struct interpreter *target,
			     uint64_t started_ns)
{
	struct error *err = &job->err;
	struct entry *entry;
	int result = -1;

	if (job->options->memory)
		memory_bind(&target->memory, *job->options->memory);
	if (interpreter_check_version(target, err) ||
	    interpreter_resolve(target, err))
		return -1;
	job->report.python_version = target->version;
	entry = malloc(sizeof(*entry));
	if (!entry)
		return error_set(err, ERROR_NO_MEMORY, "entering a process");
	if (!entry_init(entry, job->id, job->options, target, err)) {
		job->report.resolve_ns = monotonic_ns() - started_ns;
		result = enter(job, entry);
		entry_release(entry);
	}
	free(entry);
	return result;
}

/* What this thread waits counts to the target's pause: short sleeps are to be
 * short, and, where permitted, it comes before others. */
static void hurry(void)
{
	prctl(PR_SET_TIMERSLACK, INJECT_SLACK_NS, 0, 0, 0);
	if (getpriority(PRIO_PROCESS, 0) > INJECT_NICE)
		(void)setpriority(PRIO_PROCESS, 0, INJECT_NICE);
}

static void *run(void *arg)
{
	uint64_t started_ns = monotonic_ns();
	struct job *job = arg;
	struct interpreter target;

	hurry();
	job->result = -1;
	if (admit(job, &job->err) || open_interpreter(job, &target))
		return NULL;
	job->result = resolve_and_enter(job, &target, started_ns);
	interpreter_release(&target);
	job->report.total_ns = monotonic_ns() - started_ns;
	return NULL;
}

static int run_on_thread(struct job *job, struct error *err)
{
	pthread_t thread;
	int failed = pthread_create(&thread, NULL, run, job);

	if (failed)
		return error_set_errno(err, ERROR_SYSTEM, failed,
				       "a thread to enter with");
	pthread_join(thread, NULL);
	if (job->result && err)
		*err = job->err;
	return job->result;
}

/* On a thread of its own: when that ends, whatever happened, the kernel
 * detaches what it still traces, and a borrowed thread goes home. */
int inject_agent(const struct process_id *id,
		 const struct inject_options *options,
		 struct inject_report *ret_report, struct error *err)
{
	struct job job = {
		.id = id,
		.options = options,
		.report = { .control_fd = -1 },
		.err = ERROR_INIT,
	};

	if (run_on_thread(&job, err))
		return -1;
	*ret_report = job.report;
	return 0;
}

int inject_examine(const struct process_id *id, struct error *err)
{
	struct inject_options options = INJECT_OPTIONS_DEFAULT;
	struct job job = {
		.id = id,
		.options = &options,
		.err = ERROR_INIT,
		.examine = true,
	};

	return run_on_thread(&job, err);
}

/* The thread takes the region away before it ends. */
int inject_wait_gone(const struct process_id *id,
		     const struct inject_report *report, unsigned timeout_ms,
		     struct error *err)
{
	struct deadline deadline = deadline_in_ms(timeout_ms);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", id->pid,
		 report->agent_tid);
	do {
		if (access(path, F_OK) < 0 || !process_same(id))
			return 0;
	} while (deadline_wait(&deadline));
	return error_set(err, ERROR_TIMEOUT,
			 "the agent's thread %d is still there after %u ms",
			 report->agent_tid, timeout_ms);
}
