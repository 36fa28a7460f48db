/* SPDX-License-Identifier: MIT */
#include "clients/cli/completion.h"

#include <string.h>

static const char opening[] =
	"# fish completion of nopdb, written by \"nopdb completion fish\"\n"
	"\n"
	"# The verb and its arguments, without options and their values.\n"
	"function __nopdb_words\n"
	"\tset -l value 0\n"
	"\tfor word in (commandline -opc)[2..-1]\n"
	"\t\tif test $value = 1\n"
	"\t\t\tset value 0\n"
	"\t\t\tcontinue\n"
	"\t\tend\n"
	"\t\tswitch $word\n"
	"\t\t\tcase";

static const char after_values[] =
	"\n"
	"\t\t\t\tset value 1\n"
	"\t\t\tcase '-*'\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\techo -- $word\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"\n"
	"# No verb yet?\n"
	"function __nopdb_no_verb\n"
	"\ttest -z \"$(__nopdb_words)\"\n"
	"end\n"
	"\n"
	"# Is it one of these verbs?\n"
	"function __nopdb_verb\n"
	"\tset -l words (__nopdb_words)\n"
	"\tset -q words[1]; and contains -- $words[1] $argv\n"
	"end\n"
	"\n"
	"# Is it the Nth argument of one of these verbs? N, from 0, comes "
	"first.\n"
	"function __nopdb_argument\n"
	"\tset -l words (__nopdb_words)\n"
	"\tset -q words[1]; or return 1\n"
	"\ttest (count $words) = (math $argv[1] + 1)\n"
	"\tand contains -- $words[1] $argv[2..-1]\n"
	"end\n"
	"\n"
	"function __nopdb_pids\n"
	"\tgrep -las '[p]ython' /proc/*/cmdline |\n"
	"\t\tstring replace -rf '^/proc/(\\d+)/.*' '$1'\n"
	"end\n"
	"\n"
	"complete -c nopdb -f\n";

static void add_quoted(struct text *text, const char *words)
{
	text_add(text, "'");
	for (; *words; words++)
		text_addf(text, "%s%c",
			  *words == '\'' || *words == '\\' ? "\\" : "", *words);
	text_add(text, "'");
}

static void add_valued(struct text *text)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (option_table[i].kind == OPTION_IS_FLAG)
			continue;
		if (option_table[i].letter)
			text_addf(text, " -%c", option_table[i].letter);
		text_addf(text, " --%s", option_table[i].name);
	}
}

/* The verbs that take an option, as a condition; none for a global one. */
static void add_condition(struct text *text, unsigned groups)
{
	if (groups & GROUP_GLOBAL)
		return;
	text_add(text, " -n '__nopdb_verb");
	for (const struct verb *const *v = verbs; *v; v++)
		if (!(*v)->hidden && ((*v)->groups & groups))
			text_addf(text, " %s", (*v)->name);
	text_add(text, "'");
}

static void add_option(struct text *text, const struct option_entry *entry)
{
	unsigned kinds = completion_value(entry);

	text_add(text, "complete -c nopdb");
	add_condition(text, entry->group);
	if (entry->letter)
		text_addf(text, " -s %c", entry->letter);
	text_addf(text, " -l %s", entry->name);
	if (kinds & COMPLETE_FOLDER)
		text_add(text, " -x -a '(__fish_complete_directories)'");
	else if (kinds)
		text_add(text, " -r -F");
	else if (entry->argument)
		text_add(text, " -x");
	if (entry->choices)
		text_addf(text, " -a '%s'", entry->choices);
	text_add(text, " -d ");
	add_quoted(text, entry->help);
	text_add(text, "\n");
}

static const char *offer(enum completion_kind kind)
{
	switch (kind) {
	case COMPLETE_PID:
		return " -a '(__nopdb_pids)'";
	case COMPLETE_VERB:
		return " -a '(complete -C \"nopdb \")'";
	default:
		return " -F";
	}
}

/* What all verbs together take at a position. */
static void add_arguments(struct text *text, int position,
			  enum completion_kind kind)
{
	size_t from = text->length;
	bool any = false;

	text_addf(text, "complete -c nopdb -n '__nopdb_argument %d", position);
	for (const struct verb *const *v = verbs; *v; v++) {
		if ((*v)->hidden || position >= (*v)->most ||
		    !(completion_argument(*v, position) & kind))
			continue;
		text_addf(text, " %s", (*v)->name);
		any = true;
	}
	text_addf(text, "'%s\n", offer(kind));
	if (!any)
		text_rewind(text, from);
}

void completion_fish(struct text *text)
{
	text_add(text, opening);
	add_valued(text);
	text_add(text, after_values);
	for (const struct verb *const *v = verbs; *v; v++) {
		if ((*v)->hidden)
			continue;
		text_addf(text,
			  "complete -c nopdb -n __nopdb_no_verb -a %s -d ",
			  (*v)->name);
		add_quoted(text, (*v)->summary);
		text_add(text, "\n");
	}
	for (int i = 0; i < OPTION_COUNT; i++)
		add_option(text, &option_table[i]);
	for (int i = 0; i < 3; i++) {
		add_arguments(text, i, COMPLETE_PID);
		add_arguments(text, i, COMPLETE_FILE);
		add_arguments(text, i, COMPLETE_VERB);
	}
}
