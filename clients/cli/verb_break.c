/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include <limits.h>

#include "clients/cli/watch.h"

static int run(struct session *session, int argc, char **argv)
{
	return watch(session, &verb_break, argc, argv);
}

const struct verb verb_break = {
	.name = "break",
	.arguments = "PID WHERE...",
	.summary = "do something whenever a line or a function is come to",
	.text = "WHERE is as for calls, or file.py:120; with --line a line of "
		"it. Without a line\n"
		"it is the start of a call. The actions (--eval, --exec, "
		"--log, "
		"--jump, --call,\n"
		"--stack, --debug) happen in the order given, in the program. "
		"But for --debug no\n"
		"thread waits. Nothing that a condition or an action raises "
		"reaches the program.\n"
		"LINE is a number, +N counted from the first line of the "
		"function, or the\n"
		"text of the line.\n",
	.groups = GROUP_GLOBAL | GROUP_SOURCE | GROUP_WHERE | GROUP_LIMITS |
		  GROUP_BREAK | GROUP_PERSIST,
	.least = 1,
	.most = INT_MAX,
	.run = run,
};
