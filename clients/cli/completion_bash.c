/* SPDX-License-Identifier: MIT */
/* bash splits words at '=' and ':', too: see how a value is found. */
#include "clients/cli/completion.h"

static const char opening[] =
	"# bash completion of nopdb, written by \"nopdb completion bash\"\n"
	"\n"
	"_nopdb_pids() {\n"
	"\tlocal process word\n"
	"\tfor process in /proc/[0-9]*; do\n"
	"\t\tword=''\n"
	"\t\t{ IFS= read -r -d '' word <\"$process/cmdline\"; } 2>/dev/null\n"
	"\t\t[[ $word == *python* ]] && printf '%s\\n' \"${process#/proc/}\"\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_nopdb() {\n"
	"\tlocal verbs=\"";

static const char after_verbs[] = "\"\n"
				  "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
				  "verb='' value='' word words='' i\n"
				  "\tlocal -i count=0\n"
				  "\n"
				  "\tCOMPREPLY=()\n"
				  "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
				  "\t\tword=${COMP_WORDS[i]}\n"
				  "\t\tcase $word in\n"
				  "\t\t";

static const char after_values[] =
	")\n"
	"\t\t\t[[ ${COMP_WORDS[i + 1]} == '=' ]] && ((i++))\n"
	"\t\t\t((++i >= COMP_CWORD)) && value=$word\n"
	"\t\t\t;;\n"
	"\t\t-*) ;;\n"
	"\t\t*)\n"
	"\t\t\tif [[ -z $verb ]]; then\n"
	"\t\t\t\tverb=$word\n"
	"\t\t\telse\n"
	"\t\t\t\tcount+=1\n"
	"\t\t\tfi\n"
	"\t\t\t;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t[[ -n $value && $cur == '=' ]] && cur=''\n"
	"\n"
	"\tcase $value in\n";

static const char after_value_kinds[] = "\t?*) return ;;\n"
					"\t'') ;;\n"
					"\tesac\n"
					"\n"
					"\tif [[ -n $words ]]; then\n"
					"\t\t:\n"
					"\telif [[ $cur == -* ]]; then\n"
					"\t\tcase $verb in\n";

static const char after_options[] = "\t\tesac\n"
				    "\telif [[ -z $verb ]]; then\n"
				    "\t\twords=$verbs\n"
				    "\telse\n"
				    "\t\tcase $verb:$count in\n";

static const char closing[] =
	"\t\tesac\n"
	"\tfi\n"
	"\tmapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY \\\n"
	"\t\t< <(compgen -W \"$words\" -- \"$cur\")\n"
	"}\n"
	"\n"
	"complete -F _nopdb nopdb\n";

/* compopt works within a completion only: not when a test calls us. */
static const char files[] = "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); "
			    "compopt -o filenames 2>/dev/null";
static const char folders[] =
	"mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); "
	"compopt -o filenames 2>/dev/null";

static void add_option(struct text *text, const struct option_entry *entry,
		       const char *between)
{
	if (entry->letter)
		text_addf(text, "-%c%s", entry->letter, between);
	text_addf(text, "--%s", entry->name);
}

/* The options that take a value, as a pattern. */
static void add_valued(struct text *text)
{
	const char *between = "";

	for (int i = 0; i < OPTION_COUNT; i++) {
		if (option_table[i].kind == OPTION_IS_FLAG)
			continue;
		text_add(text, between);
		add_option(text, &option_table[i], " | ");
		between = " | ";
	}
}

static void add_value_kinds(struct text *text)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_entry *entry = &option_table[i];
		unsigned kinds = completion_value(entry);

		if (!kinds && !entry->choices)
			continue;
		text_add(text, "\t");
		add_option(text, entry, " | ");
		if (entry->choices)
			text_addf(text, ") words=\"%s\" ;;\n", entry->choices);
		else
			text_addf(text, ")\n\t\t%s\n\t\treturn\n\t\t;;\n",
				  kinds == COMPLETE_FOLDER ? folders : files);
	}
}

static void add_options(struct text *text, unsigned groups)
{
	const char *between = "";

	for (int i = 0; i < OPTION_COUNT; i++) {
		if (!(option_table[i].group & groups))
			continue;
		text_add(text, between);
		add_option(text, &option_table[i], " ");
		between = " ";
	}
}

static void add_verb_options(struct text *text)
{
	for (const struct verb *const *v = verbs; *v; v++) {
		if ((*v)->hidden)
			continue;
		text_addf(text, "\t\t%s) words=\"", (*v)->name);
		add_options(text, (*v)->groups);
		text_add(text, "\" ;;\n");
	}
	text_add(text, "\t\t*) words=\"");
	add_options(text, GROUP_GLOBAL);
	text_add(text, "\" ;;\n");
}

static void add_argument(struct text *text, const struct verb *verb,
			 int position)
{
	unsigned kinds = completion_argument(verb, position);

	if (!kinds)
		return;
	text_addf(text, "\t\t%s:%d) ", verb->name, position);
	if (kinds & COMPLETE_FILE)
		text_addf(text, "%s; ", files);
	if (kinds & COMPLETE_PID)
		text_add(text, "words=$(_nopdb_pids) ");
	if (kinds & COMPLETE_VERB)
		text_add(text, "words=$verbs ");
	text_add(text, ";;\n");
}

static void add_verbs(struct text *text)
{
	const char *between = "";

	for (const struct verb *const *v = verbs; *v; v++) {
		if ((*v)->hidden)
			continue;
		text_addf(text, "%s%s", between, (*v)->name);
		between = " ";
	}
}

void completion_bash(struct text *text)
{
	text_add(text, opening);
	add_verbs(text);
	text_add(text, after_verbs);
	add_valued(text);
	text_add(text, after_values);
	add_value_kinds(text);
	text_add(text, after_value_kinds);
	add_verb_options(text);
	text_add(text, after_options);
	for (const struct verb *const *v = verbs; *v; v++)
		for (int i = 0; i < (*v)->most && i < 3 && !(*v)->hidden; i++)
			add_argument(text, *v, i);
	text_add(text, closing);
}
