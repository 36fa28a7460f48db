/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

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

static void render(struct json_writer *w, const void *arg)
{
	const struct examination *exam = arg;
	bool enter = !preflight_verdict(exam->checks, exam->count, NULL);

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
}

static void examine(void *owner)
{
	struct examination *exam = owner;

	exam->count = preflight(exam->pid, PREFLIGHT_STOP, exam->checks);
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

const struct method method_doctor = { "doctor", params, doctor };
