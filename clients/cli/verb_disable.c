/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/probe_switch.h"

static int run(struct session *session, int argc, char **argv)
{
	return probe_switch(session, argv[1], "probe.disable");
}

const struct verb verb_disable = {
	.name = "disable",
	.arguments = "ID",
	.summary = "switch a probe off; it stays set",
	.groups = GROUP_GLOBAL,
	.least = 1,
	.most = 1,
	.run = run,
};
