/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/probe_switch.h"

static int run(struct session *session, int argc, char **argv)
{
	return probe_switch(session, argv[1], "probe.enable");
}

const struct verb verb_enable = {
	.name = "enable",
	.arguments = "ID",
	.summary = "switch a probe on again",
	.groups = GROUP_GLOBAL,
	.least = 1,
	.most = 1,
	.run = run,
};
