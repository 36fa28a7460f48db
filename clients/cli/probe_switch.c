/* SPDX-License-Identifier: MIT */
#include "clients/cli/probe_switch.h"

#include "clients/cli/argument.h"
#include "clients/cli/report.h"

int probe_switch(struct session *session, const char *id, const char *method)
{
	cJSON *result = NULL;
	uint32_t probe;

	if (argument_probe(id, &probe, &session->err) < 0 ||
	    session_open(session) < 0 ||
	    session_call(session, method, params_number("probe", probe),
			 &result) < 0)
		return session_failed(session);
	if (session->output.json)
		output_item(&session->output, result);
	else
		report_note("probe %u %s", probe, member_text(result, "state"));
	cJSON_Delete(result);
	return session_finish(session, 0);
}
