/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include <ctype.h>
#include <string.h>

#include "clients/cli/text.h"

const struct verb *const verbs[] = {
	&verb_ps,     &verb_doctor,	&verb_calls, &verb_break,
	&verb_lines,  &verb_eval,	&verb_exec,  &verb_stack,
	&verb_apply,  &verb_actions,	&verb_list,  &verb_rm,
	&verb_enable, &verb_disable,	&verb_tail,  &verb_detach,
	&verb_help,   &verb_completion, NULL,
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *const *v = verbs; *v; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

static void command_usage(struct text *text)
{
	text_add(text, "usage: nopdb VERB ARGUMENTS [options]\n\n"
		       "Watches Python programs that are already running.\n\n");
	for (const struct verb *const *v = verbs; *v; v++) {
		size_t from = text->length;

		if ((*v)->hidden)
			continue;
		text_addf(text, "  %s", (*v)->name);
		if ((*v)->arguments[0])
			text_addf(text, " %s", (*v)->arguments);
		text_pad(text, from, 24);
		text_addf(text, " %s\n", (*v)->summary);
	}
	text_add(text, "\nOptions of every verb:\n");
	options_usage(text, GROUP_GLOBAL);
	text_add(text, "\nnopdb help VERB tells more.\n");
}

void verb_usage(struct text *text, const struct verb *verb)
{
	unsigned own;

	if (!verb) {
		command_usage(text);
		return;
	}
	own = verb->groups & ~(unsigned)GROUP_GLOBAL;
	text_addf(text, "usage: nopdb %s", verb->name);
	if (verb->arguments[0])
		text_addf(text, " %s", verb->arguments);
	text_addf(text, " [options]\n\n%c%s.\n", toupper(verb->summary[0]),
		  verb->summary + 1);
	if (verb->text)
		text_addf(text, "\n%s", verb->text);
	if (own) {
		text_add(text, "\nOptions:\n");
		options_usage(text, own);
	}
	text_add(text, "\nOptions of every verb:\n");
	options_usage(text, GROUP_GLOBAL);
}
