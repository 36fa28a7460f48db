/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/argument.h"
#include "clients/cli/report.h"

static int run(struct session *session, int argc, char **argv)
{
	cJSON *result = NULL;
	uint32_t probe;

	if (argument_probe(argv[1], &probe, &session->err) < 0 ||
	    session_open(session) < 0 ||
	    session_call(session, "probe.remove", params_number("probe", probe),
			 &result) < 0)
		return session_failed(session);
	if (session->output.json)
		output_item(&session->output, result);
	else
		report_note("probe %u removed: %.0f hits, %.0f captures", probe,
			    member_number(result, "hits"),
			    member_number(result, "captures"));
	cJSON_Delete(result);
	return session_finish(session, 0);
}

const struct verb verb_rm = {
	.name = "rm",
	.arguments = "ID",
	.summary = "remove a probe",
	.groups = GROUP_GLOBAL,
	.least = 1,
	.most = 1,
	.run = run,
};
