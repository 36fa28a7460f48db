/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include <limits.h>

#include "clients/cli/watch.h"

static int run(struct session *session, int argc, char **argv)
{
	return watch(session, &verb_calls, argc, argv);
}

const struct verb verb_calls = {
	.name = "calls",
	.arguments = "PID WHERE...",
	.summary = "capture calls: arguments, locals, outcome, stack",
	.text = "WHERE is pkg.mod:function, pkg.mod:Class.method, a bare name, "
		"or a glob of\n"
		"these; each sets one probe. What is not yet imported is "
		"waited "
		"for. It ends\n"
		"when every probe reached a limit, when the process ends, or "
		"with "
		"Ctrl-C, and\n"
		"leaves no trace. TIME is 500ms, 10s, 5m or 1h.\n",
	.groups = GROUP_GLOBAL | GROUP_SOURCE | GROUP_WHERE | GROUP_LIMITS |
		  GROUP_CALLS | GROUP_PERSIST,
	.least = 1,
	.most = INT_MAX,
	.run = run,
};
