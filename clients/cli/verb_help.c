/* SPDX-License-Identifier: MIT */
#include "clients/cli/text.h"
#include "clients/cli/verb.h"

static int run(struct session *session, int argc, char **argv)
{
	const struct verb *about = NULL;
	struct text text = TEXT_INIT;

	if (argc > 1) {
		about = verb_find(argv[1]);
		if (!about)
			return session_usage("help", "no verb %s", argv[1]);
	}
	verb_usage(&text, about);
	output_text(&session->output, text_string(&text));
	text_release(&text);
	return session_finish(session, 0);
}

const struct verb verb_help = {
	.name = "help",
	.arguments = "[VERB]",
	.summary = "what the command, or a verb, can do",
	.groups = GROUP_GLOBAL,
	.most = 1,
	.run = run,
};
