/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/probe_file.h"
#include "clients/cli/watch.h"

static int run(struct session *session, int argc, char **argv)
{
	cJSON *probes = probe_file_read(argv[2], &session->err);
	int status;

	if (!probes)
		return session_failed(session);
	status = watch_file(session, argv[1], argv[2], probes);
	cJSON_Delete(probes);
	return status;
}

const struct verb verb_apply = {
	.name = "apply",
	.arguments = "PID FILE",
	.summary = "set the probes of a file, all or none",
	.text = "FILE holds what nopdb list --json prints: one JSON object a "
		"line, or an array;\n"
		"- is stdin. Every probe is checked before the first one is "
		"set. When all of\n"
		"them persist, or with --persist, it leaves once they are "
		"set.\n",
	.groups = GROUP_GLOBAL | GROUP_PERSIST,
	.least = 2,
	.most = 2,
	.run = run,
};
