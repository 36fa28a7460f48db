/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access.h"
#include "daemon/daemon.h"
#include "daemon/method.h"

static const struct param params[] = {
	{ "pid", PARAM_PID, false },
	{ NULL, PARAM_END, false },
};

struct examination {
	struct job job;
	struct call *call;
	pid_t pid; /* 0: the machine alone */
	struct check checks[CHECK_MAX];
	int count;
};

static const char *result_name(enum check_result result)
{
	switch (result) {
	case CHECK_OK:
		return "ok";
	case CHECK_WARN:
		return "warn";
	case CHECK_FAIL:
		return "fail";
	case CHECK_UNKNOWN:
		break;
	}
	return "unknown";
}

static void write_policy(struct json_writer *w, const struct access *access)
{
	const struct decision *decision = &access->verdict.decision;

	json_key(w, "rights");
	rights_write(w, access->verdict.rights);
	json_key(w, "policy");
	json_string(w, access->book->source);
	if (!access->verdict.granted && !access->verdict.kernel.own)
		return;
	json_key(w, "rule");
	if (decision->rule < 0)
		json_null(w);
	else
		json_string(w, rulebook_rule(access->book, decision->rule));
}

static void render(struct json_writer *w, const void *arg)
{
	const struct examination *exam = arg;
	bool enter = !preflight_verdict(exam->checks, exam->count, NULL);
	const struct access *access = exam->call->access;

	json_key(w, "enter");
	json_bool(w, enter);
	json_key(w, "checks");
	json_array_begin(w);
	for (int i = 0; i < exam->count; i++) {
		const struct check *check = &exam->checks[i];

		json_object_begin(w);
		json_key(w, "name");
		json_string(w, check->name);
		json_key(w, "result");
		json_string(w, result_name(check->result));
		json_key(w, "detail");
		json_string(w, check->detail);
		if (check->result == CHECK_FAIL) {
			json_key(w, "error");
			json_string(w, error_name(check->code));
		}
		if (check->remedy[0]) {
			json_key(w, "remedy");
			json_string(w, check->remedy);
		}
		json_object_end(w);
	}
	json_array_end(w);
	if (access)
		write_policy(w, access);
}

/* ---- what the kernel and the policy say to the client
 * ----------------------------------------------------------------------- */

static struct check *add(struct examination *exam, const char *name,
			 const struct error *err, const char *detail)
{
	struct check *check = &exam->checks[exam->count];

	if (exam->count < CHECK_MAX - 1)
		exam->count++;
	memset(check, 0, sizeof(*check));
	snprintf(check->name, sizeof(check->name), "%s", name);
	check->result = err->code ? CHECK_FAIL : CHECK_OK;
	check->code = err->code;
	snprintf(check->detail, sizeof(check->detail), "%s",
		 err->code ? err->msg : detail);
	snprintf(check->remedy, sizeof(check->remedy), "%s", err->remedy);
	return check;
}

/* Asked with the client's credentials. */
static void add_user(struct examination *exam, const struct access *access)
{
	const struct verdict *verdict = &access->verdict;
	struct error err = ERROR_INIT;
	char detail[128];

	snprintf(detail, sizeof(detail), "the kernel lets user %u trace it%s",
		 (unsigned)access->peer.uid,
		 verdict->kernel.answer.attach
			 ? ", but for Yama, which the policy overrides"
			 : "");
	if (!verdict->granted)
		access_refuse(verdict, access->book, &access->peer, exam->pid,
			      RIGHTS_ENTER, &err);
	add(exam, "user", &err, detail);
}

/* The rule that decided, and what it grants. */
static void add_policy(struct examination *exam, const struct access *access)
{
	const struct verdict *verdict = &access->verdict;
	struct error err = ERROR_INIT;
	struct verdict allowed = *verdict;
	char detail[sizeof(exam->checks[0].detail)];
	struct check *check;

	access_explain(verdict, access->book, &access->peer, detail,
		       sizeof(detail));
	allowed.granted = true;
	if (!(verdict->decision.rights & RIGHTS_ENTER))
		access_refuse(&allowed, access->book, &access->peer, exam->pid,
			      RIGHTS_ENTER, &err);
	check = add(exam, "policy", &err, detail);
	snprintf(check->detail, sizeof(check->detail), "%s", detail);
}

/* After what is asked about the client, as attach does. */
static void add_preflight(struct examination *exam)
{
	struct check checks[CHECK_MAX];
	int count = preflight(exam->pid, PREFLIGHT_STOP, checks);

	for (int i = 0; i < count && exam->count < CHECK_MAX; i++)
		exam->checks[exam->count++] = checks[i];
}

static void add_client(struct examination *exam, const struct access *access)
{
	struct error gone = ERROR_INIT;

	exam->count = 0;
	if (access->verdict.gone) {
		access_refuse(&access->verdict, access->book, &access->peer,
			      exam->pid, RIGHT_SEE, &gone);
		add(exam, "process", &gone, "");
		return;
	}
	add_user(exam, access);
	/* Of a process of others, nothing that a rule knows. */
	if (access->verdict.granted || access->verdict.kernel.own)
		add_policy(exam, access);
}

static bool may_look(const struct access *access)
{
	return access->verdict.granted && access->verdict.rights & RIGHT_SEE;
}

/* What the kernel does not let the client look into is not looked into. */
static void examine_as(struct examination *exam, struct access *access)
{
	add_client(exam, access);
	if (!may_look(access))
		return;
	add_preflight(exam);
	/* It may have become another process meanwhile. */
	if (access_again(access, RIGHT_SEE, NULL) || !may_look(access))
		add_client(exam, access);
}

/* ---- the method
 * ----------------------------------------------------------------------- */

static void examine(void *owner)
{
	struct examination *exam = owner;
	const struct error fine = ERROR_INIT;

	if (exam->call->access) {
		examine_as(exam, exam->call->access);
	} else if (exam->call->unknown.code) {
		add(exam, "process", &exam->call->unknown, "");
	} else {
		add_preflight(exam);
		if (exam->pid)
			add(exam, "policy", &fine,
			    "none: the daemon serves its own user alone");
	}
}

static void examined(void *owner, const struct error *err)
{
	struct examination *exam = owner;

	if (err)
		call_fail(exam->call, err);
	else
		call_answer(exam->call, render, exam);
}

static const struct job_type examination = { examine, examined, free };

static void doctor(struct call *call)
{
	struct examination *exam = calloc(1, sizeof(*exam));
	struct error err = ERROR_INIT;
	uint64_t pid = 0;

	if (!exam) {
		error_set(&err, ERROR_NO_MEMORY, "doctor: no memory");
		call_fail(call, &err);
		return;
	}
	params_uint(call->request.params, "pid", &pid);
	exam->call = call;
	exam->pid = (pid_t)pid;
	job_start(call->daemon, &exam->job, &examination, exam);
}

const struct method method_doctor = { "doctor", params, doctor, GATE_TOLD,
				      RIGHTS_NONE };
