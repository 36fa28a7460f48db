/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/evaluate.h"

static int run(struct session *session, int argc, char **argv)
{
	return evaluate(session, "eval", "expr", argv[1], argv[2]);
}

const struct verb verb_eval = {
	.name = "eval",
	.arguments = "PID EXPR",
	.summary = "the value of an expression in the process",
	.text = "It is evaluated outside of any frame, in the globals of "
		"__main__ or of\n"
		"--module, on a thread of its own. What it raises does not "
		"reach the program:\n"
		"then the exit status is 1.\n",
	.groups = GROUP_GLOBAL | GROUP_EVALUATE | GROUP_VALUES,
	.least = 2,
	.most = 2,
	.run = run,
};
