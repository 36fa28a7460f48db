/* SPDX-License-Identifier: MIT */
#include "clients/cli/completion.h"

#include <limits.h>
#include <string.h>

static const char opening[] =
	"#compdef nopdb\n"
	"# zsh completion of nopdb, written by \"nopdb completion zsh\"\n"
	"\n"
	"_nopdb_pids() {\n"
	"\tlocal process word\n"
	"\tlocal -a found\n"
	"\tfor process in /proc/<->(N); do\n"
	"\t\tword=\n"
	"\t\t{ IFS= read -r -d $'\\0' word <$process/cmdline } 2>/dev/null\n"
	"\t\t[[ $word == *python* ]] && found+=(\"${process:t}:$word\")\n"
	"\tdone\n"
	"\t_describe -t processes 'process' found\n"
	"}\n"
	"\n"
	"_nopdb_verbs() {\n"
	"\tlocal -a verbs=(\n";

static const char after_verbs[] =
	"\t)\n"
	"\t_describe -t verbs 'verb' verbs\n"
	"}\n"
	"\n"
	"_nopdb() {\n"
	"\tlocal curcontext=$curcontext state line ret=1\n"
	"\tlocal -a options\n"
	"\ttypeset -A opt_args\n"
	"\n"
	"\t_arguments -C -S";

static const char after_globals[] =
	" \\\n"
	"\t\t'1:verb:_nopdb_verbs' '*::argument:->arguments' && ret=0\n"
	"\t[[ $state == arguments ]] || return ret\n"
	"\tcurcontext=${curcontext%:*:*}:nopdb-$words[1]:\n"
	"\tcase $words[1] in\n";

static const char closing[] = "\t*) _default ;;\n"
			      "\tesac\n"
			      "}\n"
			      "\n"
			      "_nopdb \"$@\"\n";

/* Words within single quotes; those of `special` get a backslash. */
static void add_quoted(struct text *text, const char *words,
		       const char *special)
{
	for (; *words; words++) {
		if (*words == '\'')
			text_add(text, "'\\'");
		else if (strchr(special, *words))
			text_add(text, "\\");
		text_addf(text, "%c", *words);
	}
}

static const char *action(unsigned kinds)
{
	if (kinds == (COMPLETE_PID | COMPLETE_FILE))
		return "{_nopdb_pids; _files}";
	if (kinds & COMPLETE_PID)
		return "_nopdb_pids";
	if (kinds & COMPLETE_VERB)
		return "_nopdb_verbs";
	if (kinds & COMPLETE_FOLDER)
		return "_files -/";
	return kinds & COMPLETE_FILE ? "_files" : " ";
}

/* One spec of _arguments: '--name=[help]:ARGUMENT:action'. */
static void add_spec(struct text *text, const struct option_entry *entry)
{
	if (entry->letter)
		text_addf(text, "'(-%c --%s)'{-%c%s,--%s%s}'[", entry->letter,
			  entry->name, entry->letter,
			  entry->argument ? "+" : "", entry->name,
			  entry->argument ? "=" : "");
	else
		text_addf(text, "'%s--%s%s[", entry->action ? "*" : "",
			  entry->name, entry->argument ? "=" : "");
	add_quoted(text, entry->help, "[]:\\");
	text_add(text, "]");
	if (entry->argument) {
		text_add(text, ":");
		add_quoted(text, entry->argument, ":");
		if (entry->choices)
			text_addf(text, ":(%s)", entry->choices);
		else
			text_addf(text, ":%s", action(completion_value(entry)));
	}
	text_add(text, "'");
}

static void add_options(struct text *text, unsigned groups)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (!(option_table[i].group & groups))
			continue;
		text_add(text, " \\\n\t\t\t");
		add_spec(text, &option_table[i]);
	}
}

static void add_arguments(struct text *text, const struct verb *verb)
{
	const char *word = verb->arguments;

	for (int i = 0; *word; i++) {
		size_t length = strcspn(word, " ");
		bool repeats = verb->most == INT_MAX && !word[length];

		text_add(text, " \\\n\t\t\t'");
		if (repeats)
			text_add(text, "*");
		else
			text_addf(text, "%d", i + 1);
		text_addf(text, ":%.*s:%s'", (int)length, word,
			  action(completion_argument(verb, i)));
		word += length + (word[length] == ' ');
	}
}

void completion_zsh(struct text *text)
{
	text_add(text, opening);
	for (const struct verb *const *v = verbs; *v; v++) {
		if ((*v)->hidden)
			continue;
		text_addf(text, "\t\t'%s:", (*v)->name);
		add_quoted(text, (*v)->summary, ":\\");
		text_add(text, "'\n");
	}
	text_add(text, after_verbs);
	add_options(text, GROUP_GLOBAL);
	text_add(text, after_globals);
	for (const struct verb *const *v = verbs; *v; v++) {
		if ((*v)->hidden)
			continue;
		text_addf(text, "\t%s)\n\t\t_arguments -S", (*v)->name);
		add_options(text, (*v)->groups);
		add_arguments(text, *v);
		text_add(text, "\n\t\t;;\n");
	}
	text_add(text, closing);
}
