/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/argument.h"
#include "clients/cli/table.h"

/* All reasons together. */
static double lost_count(const cJSON *probe)
{
	const cJSON *reason;
	double count = 0;

	cJSON_ArrayForEach(reason, member(probe, "lost")) count +=
		cJSON_IsNumber(reason) ? reason->valuedouble : 0;
	return count;
}

static void print(const cJSON *probes, struct output *output)
{
	static const char *const titles[] = { "ID",    "PID",  "KIND",
					      "STATE", "HITS", "CAPTURES",
					      "LOST",  "WHERE" };
	struct table table;
	const cJSON *probe;

	table_init(&table, 8, titles);
	cJSON_ArrayForEach(probe, probes)
	{
		table_number(&table, member_number(probe, "probe"));
		table_number(&table, member_number(probe, "pid"));
		table_cell(&table, member_text(probe, "kind"));
		table_cell(&table, member_text(probe, "state"));
		table_number(&table, member_number(probe, "hits"));
		table_number(&table, member_number(probe, "captures"));
		table_number(&table, lost_count(probe));
		table_cell(&table, member_text(probe, "where"));
	}
	table_print(&table, output);
	table_release(&table);
}

static int run(struct session *session, int argc, char **argv)
{
	cJSON *result = NULL;
	cJSON *params = NULL;
	const cJSON *probes;
	int count;
	int pid;

	if (argc > 1) {
		if (argument_pid(argv[1], &pid, &session->err) < 0)
			return session_failed(session);
		params = params_number("pid", pid);
	}
	if (session_open(session) < 0) {
		cJSON_Delete(params);
		return session_failed(session);
	}
	if (session_call(session, "probe.list", params, &result) < 0)
		return session_failed(session);
	probes = member(result, "probes");
	count = cJSON_GetArraySize(probes);
	if (session->output.json)
		output_items(&session->output, probes);
	else if (count > 0)
		print(probes, &session->output);
	cJSON_Delete(result);
	return session_finish(session, count > 0 ? 0 : 1);
}

const struct verb verb_list = {
	.name = "list",
	.arguments = "[PID]",
	.summary = "the probes that are set",
	.text = "Exit status 1 when there is none.\n",
	.groups = GROUP_GLOBAL,
	.most = 1,
	.run = run,
};
