/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include <string.h>

#include "clients/cli/completion.h"

static const struct {
	const char *name;
	void (*write)(struct text *text);
} shells[] = {
	{ "bash", completion_bash },
	{ "zsh", completion_zsh },
	{ "fish", completion_fish },
};

static int run(struct session *session, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
		struct text text = TEXT_INIT;

		if (strcmp(shells[i].name, argv[1]))
			continue;
		shells[i].write(&text);
		output_text(&session->output, text_string(&text));
		text_release(&text);
		return session_finish(session, 0);
	}
	return session_usage("completion", "%s: not bash, zsh or fish",
			     argv[1]);
}

const struct verb verb_completion = {
	.name = "completion",
	.arguments = "SHELL",
	.summary = "a script that completes this command's words in a shell",
	.text = "SHELL is bash, zsh or fish. `make install` puts the scripts "
		"where the shells\nlook for them; else: "
		"source <(nopdb completion bash)\n",
	.groups = GROUP_GLOBAL,
	.hidden = true,
	.least = 1,
	.most = 1,
	.run = run,
};
