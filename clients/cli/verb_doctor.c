/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/argument.h"
#include "clients/cli/table.h"

static void print(const cJSON *checks, struct output *output)
{
	static const char *const titles[] = { "CHECK", "RESULT", "DETAIL" };
	struct table table;
	const cJSON *check;

	table_init(&table, 3, titles);
	cJSON_ArrayForEach(check, checks)
	{
		const char *remedy = member_text(check, "remedy");

		table_cell(&table, member_text(check, "name"));
		table_cell(&table, member_text(check, "result"));
		table_cell(&table, member_text(check, "detail"));
		if (*remedy) {
			table_cell(&table, " ");
			table_cell(&table, "remedy:");
			table_cell(&table, remedy);
		}
	}
	table_print(&table, output);
	table_release(&table);
}

/* What attach would end with. */
static int verdict(const cJSON *result)
{
	const cJSON *check;

	if (cJSON_IsTrue(member(result, "enter")))
		return 0;
	cJSON_ArrayForEach(check, member(result, "checks"))
	{
		const char *error = member_text(check, "error");

		if (*error)
			return error_exit_status(error_from_name(error));
	}
	return error_exit_status(ERROR_ATTACH);
}

static int run(struct session *session, int argc, char **argv)
{
	cJSON *result = NULL;
	cJSON *params = NULL;
	int pid;
	int status;

	if (argc > 1) {
		if (argument_pid(argv[1], &pid, &session->err) < 0)
			return session_failed(session);
		params = params_number("pid", pid);
	}
	if (session_open(session) < 0) {
		cJSON_Delete(params);
		return session_failed(session);
	}
	if (session_call(session, "doctor", params, &result) < 0)
		return session_failed(session);
	if (session->output.json)
		output_items(&session->output, member(result, "checks"));
	else
		print(member(result, "checks"), &session->output);
	status = verdict(result);
	cJSON_Delete(result);
	return session_finish(session, status);
}

const struct verb verb_doctor = {
	.name = "doctor",
	.arguments = "[PID]",
	.summary = "every precondition, the remedy for each that fails",
	.text = "Without PID: of this machine and this user. Nothing is "
		"changed "
		"in the process.\n"
		"Exit status 0 when it can be entered, else that of the first "
		"failure.\n",
	.groups = GROUP_GLOBAL,
	.most = 1,
	.run = run,
};
