/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include <stdlib.h>
#include <string.h>

#include "clients/cli/evaluate.h"
#include "clients/cli/request.h"

static int run(struct session *session, int argc, char **argv)
{
	const char *file = session->options->value[OPTION_EXEC_FILE].text;
	const char *given = argc > 2 ? argv[2] : NULL;
	char *code = NULL;
	int status;

	if (!given == !file)
		return session_usage("exec", given ? "CODE and --exec-file"
						   : "CODE is missing");
	if (file || !strcmp(given, "-")) {
		code = request_read_code(file ? file : "-", &session->err);
		if (!code)
			return session_failed(session);
	}
	status =
		evaluate(session, "exec", "code", argv[1], code ? code : given);
	free(code);
	return status;
}

const struct verb verb_exec = {
	.name = "exec",
	.arguments = "PID CODE",
	.summary = "run statements in the process",
	.text = "As eval, for statements. CODE is - for stdin.\n",
	.groups = GROUP_GLOBAL | GROUP_EVALUATE | GROUP_VALUES | GROUP_EXEC,
	.least = 1,
	.most = 2,
	.run = run,
};
