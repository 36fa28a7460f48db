/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/argument.h"
#include "clients/cli/report.h"

/* How many clients hold the process now. */
static double clients_of(const cJSON *targets, int pid)
{
	const cJSON *target;

	cJSON_ArrayForEach(target,
			   targets) if (member_number(target, "pid") ==
					pid) return member_number(target,
								  "clients");
	return 0;
}

/* Ending other clients' probes is for those who say so. */
static int refuse_busy(struct session *session, int pid)
{
	cJSON *result = NULL;
	double clients;

	if (session_call(session, "targets", NULL, &result) < 0)
		return -1;
	clients = clients_of(member(result, "targets"), pid);
	cJSON_Delete(result);
	if (clients < 1)
		return 0;
	error_set(&session->err, ERROR_BUSY,
		  "pid %d: %.0f other client(s) still use it", pid, clients);
	return error_remedy(&session->err,
			    "end them, or nopdb detach %d --force", pid);
}

static int run(struct session *session, int argc, char **argv)
{
	cJSON *result = NULL;
	cJSON *params;
	int pid;

	if (argument_pid(argv[1], &pid, &session->err) < 0 ||
	    session_open(session) < 0)
		return session_failed(session);
	if (!option_given(session->options, OPTION_FORCE) &&
	    refuse_busy(session, pid) < 0)
		return session_failed(session);
	params = params_number("pid", pid);
	cJSON_AddTrueToObject(params, "force");
	if (session_call(session, "detach", params, &result) < 0)
		return session_failed(session);
	if (session->output.json)
		output_item(&session->output, result);
	else
		report_note("detached from %d", pid);
	cJSON_Delete(result);
	return session_finish(session, 0);
}

const struct verb verb_detach = {
	.name = "detach",
	.arguments = "PID",
	.summary = "remove every probe and the agent: leave no trace",
	.text = "Returns when the agent is gone. Refused while another client "
		"watches the\nprocess, unless --force.\n",
	.groups = GROUP_GLOBAL | GROUP_DETACH,
	.least = 1,
	.most = 1,
	.run = run,
};
