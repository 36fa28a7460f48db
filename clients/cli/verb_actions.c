/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/argument.h"
#include "clients/cli/report.h"
#include "clients/cli/request.h"

static int run(struct session *session, int argc, char **argv)
{
	cJSON *result = NULL, *params;
	uint32_t probe;

	if (session->options->action_count == 0)
		return session_usage("actions", "an action is missing");
	if (argument_probe(argv[1], &probe, &session->err) < 0)
		return session_failed(session);
	params = params_number("probe", probe);
	if (request_add_actions(params, session->options, &session->err) < 0 ||
	    session_open(session) < 0) {
		cJSON_Delete(params);
		return session_failed(session);
	}
	if (session_call(session, "probe.actions", params, &result) < 0)
		return session_failed(session);
	if (session->output.json)
		output_item(&session->output, result);
	else
		report_note("probe %u %s", probe, member_text(result, "state"));
	cJSON_Delete(result);
	return session_finish(session, 0);
}

const struct verb verb_actions = {
	.name = "actions",
	.arguments = "ID ACTION...",
	.summary = "add actions to a breakpoint that is set",
	.text = "They come after those that it has.\n",
	.groups = GROUP_GLOBAL | GROUP_ACTION,
	.least = 1,
	.most = 1,
	.run = run,
};
