/* SPDX-License-Identifier: MIT */
#include "injector/injector.h"

#include <stdio.h>
#include <string.h>

#include "injector/admission.h"
#include "injector/arch/arch.h"
#include "injector/pick.h"
#include "injector/target/interpreter.h"
#include "injector/target/version.h"

struct report {
	struct check *checks;
	int count;
	int failed;
};

/* Adds one check: what it found, or the error it failed with. */
static int add(struct report *report, const char *name, int failed,
	       const struct error *err, const char *detail)
{
	struct check *check = &report->checks[report->count];

	if (report->count == CHECK_MAX)
		return failed;
	report->count++;
	memset(check, 0, sizeof(*check));
	snprintf(check->name, sizeof(check->name), "%s", name);
	check->result = failed ? CHECK_FAIL : CHECK_OK;
	check->code = failed ? err->code : ERROR_NONE;
	snprintf(check->detail, sizeof(check->detail), "%s",
		 failed ? err->msg : detail);
	if (failed)
		snprintf(check->remedy, sizeof(check->remedy), "%s",
			 err->remedy);
	report->failed |= failed;
	return failed;
}

static void warn(struct report *report, const char *remedy)
{
	struct check *check = &report->checks[report->count - 1];

	check->result = CHECK_WARN;
	snprintf(check->remedy, sizeof(check->remedy), "%s", remedy);
}

static void check_python(struct report *report, pid_t pid)
{
	struct error err = ERROR_INIT;
	struct interpreter target;
	char text[96] = "";
	int failed;

	if (add(report, "python", pick_interpreter(&target, pid, &err), &err,
		"an interpreter is mapped"))
		return;
	snprintf(text, sizeof(text), "CPython 3.%u.%u%s",
		 version_minor(target.version), version_micro(target.version),
		 target.musl ? ", musl" : "");
	failed = interpreter_check_version(&target, &err);
	if (!add(report, "version", failed, &err, text)) {
		if (target.musl)
			warn(report, "musl unloads no library: each attach "
				     "leaves some mappings behind");
		failed = interpreter_resolve(&target, &err);
		snprintf(text, sizeof(text), "%d symbols, %zu files", SYM_COUNT,
			 target.modules.count);
		add(report, "symbols", failed, &err, text);
	}
	interpreter_release(&target);
}

/* Only a warning: the agent may be that of the daemon which asks. */
static void check_agent(struct report *report, pid_t pid)
{
	struct error err = ERROR_INIT;
	int present = admit_agent(pid, &err);

	add(report, "agent", 0, &err,
	    present ? "an agent of nopdb is in it" : "no agent is in it");
	if (present)
		warn(report, err.remedy);
}

/* False: there is a filter that can be examined, which comes last. */
static bool check_seccomp(struct report *report, pid_t pid)
{
	struct error err = ERROR_INIT;
	bool filtered = false;
	int failed = admit_seccomp(pid, &filtered, &err);

	if (!failed && filtered)
		return false;
	add(report, "seccomp", failed, &err, "no filter");
	return true;
}

static int examine_filters(pid_t pid, struct error *err)
{
	struct process_id id;
	int result;

	if (process_open(pid, &id, err))
		return -1;
	result = inject_examine(&id, err);
	process_close(&id);
	return result;
}

static void check_filters(struct report *report, pid_t pid,
			  enum preflight_depth depth)
{
	struct error err = ERROR_INIT;

	if (depth == PREFLIGHT_STOP && !report->failed) {
		add(report, "seccomp", examine_filters(pid, &err), &err,
		    "its filters allow what is needed");
		return;
	}
	add(report, "seccomp", 0, &err, "a filter, not examined");
	if (report->failed) {
		report->checks[report->count - 1].result = CHECK_UNKNOWN;
		return;
	}
	warn(report, "if attach refuses, allow the calls it names");
}

int preflight(pid_t pid, enum preflight_depth depth,
	      struct check checks[CHECK_MAX])
{
	struct report report = { .checks = checks };
	struct error err = ERROR_INIT;
	struct procfs_status status;
	struct procfs_stat stat;
	bool examined, stands;

	add(&report, "kernel", admit_machine(&err), &err, arch.name);
	if (!pid)
		return report.count;
	if (add(&report, "process", admit_process(pid, &status, &stat, &err),
		&err, "it is there"))
		return report.count;
	if (add(&report, "permission", admit_permission(pid, &status, &err),
		&err, "the kernel lets us trace it"))
		return report.count;
	add(&report, "tracer", admit_tracer(pid, &status, &err), &err,
	    "nobody traces it");
	add(&report, "memory", admit_memory(pid, &stat, &err), &err,
	    "it is not its parent's");
	stands = !add(&report, "state", admit_state(pid, &stat, &err), &err,
		      "it is neither stopped nor frozen");
	add(&report, "room", admit_room(pid, &status, &err), &err,
	    "its control groups and limits leave it memory");
	examined = check_seccomp(&report, pid);
	add(&report, "cpu", admit_cpu(&status, &err), &err, "no shadow stack");
	check_python(&report, pid);
	/* Of one that is stopped or frozen this would only repeat it. */
	if (stands)
		add(&report, "threads", admit_threads(pid, &err), &err,
		    "a thread can be stopped");
	add(&report, "agent-file", admit_file(pid, &err), &err,
	    "it can load the agent");
	check_agent(&report, pid);
	if (!examined)
		check_filters(&report, pid, depth);
	return report.count;
}

int preflight_verdict(const struct check *checks, int count, struct error *err)
{
	for (int i = 0; i < count; i++) {
		if (checks[i].result != CHECK_FAIL)
			continue;
		error_set(err, checks[i].code, "%s", checks[i].detail);
		if (checks[i].remedy[0])
			error_remedy(err, "%s", checks[i].remedy);
		return -1;
	}
	return 0;
}
