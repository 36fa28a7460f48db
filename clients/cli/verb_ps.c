/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include <stdio.h>

#include "clients/cli/table.h"

/* Can it be entered? "yes", "attached", or why not, in a word; doctor has the
 * sentence. */
static void enter_cell(struct table *table, const cJSON *process)
{
	char cell[128];
	const char *reason = member_text(process, "error");

	if (cJSON_IsTrue(member(process, "attached"))) {
		table_cell(table, "attached");
	} else if (cJSON_IsTrue(member(process, "enter"))) {
		table_cell(table, "yes");
	} else {
		snprintf(cell, sizeof(cell), "no%s%s", *reason ? ": " : "",
			 reason);
		table_cell(table, cell);
	}
}

static void print(const cJSON *processes, struct output *output)
{
	static const char *const titles[] = { "PID",	 "USER",  "PYTHON",
					      "THREADS", "ENTER", "COMMAND" };
	struct table table;
	const cJSON *p;

	table_init(&table, 6, titles);
	cJSON_ArrayForEach(p, processes)
	{
		table_number(&table, member_number(p, "pid"));
		table_cell(&table, member_text(p, "user"));
		table_cell(&table, member_text(p, "python"));
		table_number(&table, member_number(p, "threads"));
		enter_cell(&table, p);
		table_cell(&table, member_text(p, "command"));
	}
	table_print(&table, output);
	table_release(&table);
}

static int run(struct session *session, int argc, char **argv)
{
	cJSON *result = NULL;
	const cJSON *processes;
	int count;

	if (session_open(session) < 0 ||
	    session_call(session, "ps", NULL, &result) < 0)
		return session_failed(session);
	processes = member(result, "processes");
	count = cJSON_GetArraySize(processes);
	if (session->output.json)
		output_items(&session->output, processes);
	else if (count > 0)
		print(processes, &session->output);
	cJSON_Delete(result);
	return session_finish(session, count > 0 ? 0 : 1);
}

const struct verb verb_ps = {
	.name = "ps",
	.arguments = "",
	.summary = "Python processes, and whether each can be entered",
	.text = "Exit status 1 when there is none.\n",
	.groups = GROUP_GLOBAL,
	.run = run,
};
