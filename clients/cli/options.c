/* SPDX-License-Identifier: MIT */
#include "clients/cli/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/duration.h"
#include "clients/cli/text.h"
#include "proto/limits.h"

/* Numbers travel as JSON numbers: exact up to 2^53. */
#define NUMBER_MOST (1ull << 53)

#define FLAG(name_, letter_, group_, help_)                               \
	{                                                                 \
		.name = name_, .letter = letter_, .kind = OPTION_IS_FLAG, \
		.group = group_, .help = help_                            \
	}
#define TEXT(name_, argument_, group_, help_)                           \
	{                                                               \
		.name = name_, .kind = OPTION_IS_TEXT, .group = group_, \
		.argument = argument_, .help = help_                    \
	}
#define ACTION(name_, argument_, help_)                                     \
	{                                                                   \
		.name = name_, .kind = OPTION_IS_TEXT,                      \
		.group = GROUP_BREAK | GROUP_ACTION, .argument = argument_, \
		.help = help_, .action = true                               \
	}
#define NUMBER(name_, letter_, limit_, most_, help_)                        \
	{                                                                   \
		.name = name_, .letter = letter_, .kind = OPTION_IS_NUMBER, \
		.group = GROUP_LIMITS, .argument = "N", .help = help_,      \
		.limit = limit_, .most = most_                              \
	}
#define VALUES(name_, most_, help_)                                    \
	{                                                              \
		.name = name_, .kind = OPTION_IS_NUMBER,               \
		.group = GROUP_LIMITS | GROUP_VALUES, .argument = "N", \
		.help = help_, .limit = name_, .most = most_           \
	}
#define DURATION(name_, letter_, limit_, unit_, help_)                        \
	{                                                                     \
		.name = name_, .letter = letter_, .kind = OPTION_IS_DURATION, \
		.group = GROUP_LIMITS, .argument = "TIME", .help = help_,     \
		.limit = limit_, .unit_ns = unit_                             \
	}

#define TURN_NUMBER(name_, limit_, help_)                            \
	{                                                            \
		.name = name_, .kind = OPTION_IS_NUMBER,             \
		.group = GROUP_BREAK | GROUP_CALLS, .argument = "N", \
		.help = help_, .limit = limit_, .most = NUMBER_MOST  \
	}
#define BREAK_TIME(name_, limit_, help_)                                 \
	{                                                                \
		.name = name_, .kind = OPTION_IS_DURATION,               \
		.group = GROUP_BREAK, .argument = "TIME", .help = help_, \
		.limit = limit_, .unit_ns = 1000000                      \
	}

#define QUOTE_(x) #x
#define QUOTE(x) QUOTE_(x)
#define DEFAULT(x) " (default " QUOTE(x) ")"
#define DEFAULT_OR_NONE(x) " (default " QUOTE(x) ", 0: no limit)"

const struct option_entry option_table[OPTION_COUNT] = {
	[OPTION_FUNCTION] = TEXT("function", "NAME", GROUP_WHERE,
				 "name, qualified name or glob of functions"),
	[OPTION_FILE] = TEXT("file", "PATH", GROUP_WHERE,
			     "file they are in, matched from the right"),
	[OPTION_MODULE] = TEXT("module", "NAME", GROUP_WHERE | GROUP_EVALUATE,
			       "module it is in; a location's may be a glob"),
	[OPTION_CALLABLE] = TEXT("callable", "EXPR", GROUP_WHERE,
				 "what this calls, evaluated in the process"),
	[OPTION_HITS] = NUMBER("hits", 'n', "hits", NUMBER_MOST,
			       "captures" DEFAULT_OR_NONE(DEFAULT_HITS)),
	[OPTION_TIME] = { .name = "time",
			  .letter = 't',
			  .kind = OPTION_IS_DURATION,
			  .group = GROUP_LIMITS | GROUP_EVALUATE,
			  .argument = "TIME",
			  .help = "how long (default 10m; eval, exec: 10s)",
			  .limit = "time_ms",
			  .unit_ns = 1000000 },
	[OPTION_RATE] = NUMBER("rate", 0, "rate", NUMBER_MOST,
			       "a second" DEFAULT_OR_NONE(DEFAULT_RATE)),
	[OPTION_MIN_DURATION] = { .name = "min-duration",
				  .kind = OPTION_IS_DURATION,
				  .group = GROUP_CALLS,
				  .argument = "TIME",
				  .help = "only calls that took this long",
				  .limit = "min_duration_ns",
				  .unit_ns = 1 },
	[OPTION_ONLY_EXCEPTIONS] = FLAG("only-exceptions", 0, GROUP_CALLS,
					"only calls that raised"),
	[OPTION_YIELDS] = FLAG("yields", 0, GROUP_CALLS,
			       "what generators yield, each as a record"),
	[OPTION_DEPTH] = VALUES("depth", LIMIT_DEPTH,
				"nesting of values" DEFAULT(DEFAULT_DEPTH)),
	[OPTION_ITEMS] = VALUES("items", UINT32_MAX,
				"of a container" DEFAULT(DEFAULT_ITEMS)),
	[OPTION_STRING] = VALUES("string", UINT32_MAX,
				 "characters" DEFAULT(DEFAULT_STRING)),
	[OPTION_STACK] = NUMBER("stack", 0, "stack", UINT32_MAX,
				"frames to show" DEFAULT(DEFAULT_STACK)),
	[OPTION_NO_LOCALS] = FLAG("no-locals", 0, GROUP_CALLS,
				  "leave the local variables out"),
	[OPTION_REDACT] = TEXT("redact", "NAMES",
			       GROUP_LIMITS | GROUP_EVALUATE | GROUP_STACK,
			       "withhold these too: names, globs, type:GLOB"),
	[OPTION_NO_REDACT] = TEXT("no-redact", "NAMES",
				  GROUP_LIMITS | GROUP_EVALUATE | GROUP_STACK,
				  "show these although they sound secret"),
	[OPTION_STRICT] =
		FLAG("strict", 0, GROUP_LIMITS | GROUP_EVALUATE | GROUP_STACK,
		     "withhold texts that look like secrets"),
	[OPTION_ARRAYS] = { .name = "arrays",
			    .kind = OPTION_IS_TEXT,
			    .group = GROUP_LIMITS,
			    .argument = "HOW",
			    .help = "summary (default), or full: all they hold",
			    .choices = "summary full" },
	[OPTION_REPR] = FLAG("repr", 0, GROUP_LIMITS,
			     "run the repr of objects; 10 ms each"),
	[OPTION_LINE] = TEXT("line", "LINE", GROUP_BREAK | GROUP_LINE,
			     "number, +N from the def, or text of a line"),
	[OPTION_LINE_REGEX] =
		TEXT("line-regex", "PATTERN", GROUP_BREAK | GROUP_LINE,
		     "lines whose text has this pattern"),
	[OPTION_IF] = TEXT("if", "EXPR", GROUP_BREAK, "only when it is true"),
	[OPTION_EVAL] = ACTION("eval", "EXPR", "capture a value"),
	[OPTION_EXEC] = ACTION("exec", "CODE", "run statements; may rebind"),
	[OPTION_EXEC_FILE] = { .name = "exec-file",
			       .kind = OPTION_IS_TEXT,
			       .group = GROUP_BREAK | GROUP_ACTION | GROUP_EXEC,
			       .argument = "FILE",
			       .help = "statements from a file; - is stdin",
			       .action = true },
	[OPTION_LOG] = ACTION("log", "TEXT", "a text with {expression} parts"),
	[OPTION_CALL] = ACTION("call", "MOD:FUNC",
			       "call a function of it with the frame"),
	[OPTION_JUMP] = ACTION("jump", "LINE", "go on at another line"),
	[OPTION_DEBUG] = { .name = "debug",
			   .kind = OPTION_IS_FLAG,
			   .group = GROUP_BREAK,
			   .help = "pdb on this terminal; other threads run on",
			   .action = true },
	[OPTION_DEBUG_TIMEOUT] =
		BREAK_TIME("debug-timeout", "debug_ms",
			   "of silence in pdb (default 1m, 0: no limit)"),
	[OPTION_EVERY] = TURN_NUMBER("every", "every", "each Nth hit"),
	[OPTION_AFTER] =
		TURN_NUMBER("after", "after", "so many hits go by first"),
	[OPTION_THREAD] = TEXT("thread", "NAME", GROUP_BREAK | GROUP_CALLS,
			       "only in threads of that name, GLOB or !GLOB"),
	[OPTION_ONCE_PER] = TEXT("once-per", "EXPR", GROUP_BREAK,
				 "one hit for each value of it"),
	[OPTION_EVAL_TIME] = BREAK_TIME("eval-time", "eval_ms",
					"of an expression (default 10ms)"),
	[OPTION_EXEC_TIME] = BREAK_TIME("exec-time", "exec_ms",
					"of statements (default 1s)"),
	[OPTION_TIMEOUT] = { .name = "timeout",
			     .kind = OPTION_IS_DURATION,
			     .group = GROUP_EVALUATE,
			     .argument = "TIME",
			     .help = "the same as --time" },
	[OPTION_STDOUT] =
		FLAG("stdout", 0, GROUP_EVALUATE, "show what it prints, too"),
	[OPTION_SOURCE] = FLAG("source", 0, GROUP_SOURCE,
			       "the text of lines, where it can be read"),
	[OPTION_PERSIST] = FLAG("persist", 0, GROUP_PERSIST,
				"set the probe and leave; see tail, list, rm"),
	[OPTION_DETACH_ON_EXIT] =
		FLAG("detach-on-exit", 0, GROUP_PERSIST,
		     "at the end remove persistent probes, too"),
	[OPTION_FORCE] = FLAG("force", 0, GROUP_DETACH,
			      "although other clients still use it"),
	[OPTION_LOCALS] =
		FLAG("locals", 'l', GROUP_STACK, "show local variables"),
	[OPTION_NATIVE] =
		FLAG("native", 0, GROUP_STACK,
		     "native frames of running threads, by short stops"),
	[OPTION_NO_NATIVE] =
		FLAG("no-native", 0, GROUP_STACK, "Python frames alone"),
	[OPTION_STOP] = FLAG("stop", 0, GROUP_STACK,
			     "stop all threads while they are read"),
	[OPTION_TREE] = FLAG("tree", 0, GROUP_STACK, "its child processes too"),
	[OPTION_ROOT] = TEXT("root", "FOLDER", GROUP_STACK,
			     "where the files of a core file's process lie"),
	[OPTION_OUTPUT] = { .name = "output",
			    .letter = 'o',
			    .kind = OPTION_IS_TEXT,
			    .group = GROUP_STACK,
			    .argument = "FILE",
			    .help = "write to a file; text, unless --json" },
	[OPTION_JSON] =
		FLAG("json", 0, GROUP_GLOBAL, "JSON lines, on a terminal too"),
	[OPTION_QUIET] = FLAG("quiet", 'q', GROUP_GLOBAL,
			      "on stderr nothing but errors"),
	[OPTION_SOCKET] =
		TEXT("socket", "PATH", GROUP_GLOBAL, "the daemon's socket"),
	[OPTION_HELP] = FLAG("help", 'h', GROUP_GLOBAL, "this text"),
	[OPTION_VERSION] =
		FLAG("version", 0, GROUP_GLOBAL, "the version of nopdb"),
};

/* Tells an entry's index from a letter in getopt's answer. */
#define LONG_BASE 256

struct getopt_tables {
	struct option longs[OPTION_COUNT + 1];
	char letters[2 + 2 * OPTION_COUNT + 1];
};

static void getopt_fill(struct getopt_tables *t)
{
	size_t n = 0;

	memset(t, 0, sizeof(*t));
	/* A leading colon: a missing argument answers ':' and not '?'. */
	t->letters[n++] = ':';
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_entry *e = &option_table[i];
		bool takes = e->kind != OPTION_IS_FLAG;

		t->longs[i].name = e->name;
		t->longs[i].has_arg = takes ? required_argument : no_argument;
		t->longs[i].val = LONG_BASE + i;
		if (e->letter) {
			t->letters[n++] = e->letter;
			if (takes)
				t->letters[n++] = ':';
		}
	}
}

/* The entry that getopt's answer means, or -1. */
static int entry_of(int answer)
{
	if (answer >= LONG_BASE && answer < LONG_BASE + OPTION_COUNT)
		return answer - LONG_BASE;
	for (int i = 0; i < OPTION_COUNT; i++)
		if (option_table[i].letter && option_table[i].letter == answer)
			return i;
	return -1;
}

static int number_parse(const struct option_entry *e, const char *text,
			uint64_t *ret_number, struct error *err)
{
	uint64_t value = 0;
	const char *p = text;

	do {
		if (*p < '0' || *p > '9' ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			break;
		p++;
	} while (*p);
	if (*p || p == text)
		return error_set(err, ERROR_USAGE,
				 "--%s %s: not a whole number", e->name, text);
	if (e->most && value > e->most)
		return error_set(err, ERROR_USAGE, "--%s %s: at most %llu",
				 e->name, text, (unsigned long long)e->most);
	*ret_number = value;
	return 0;
}

static int action_add(enum option_id id, const char *text,
		      struct options *options, struct error *err)
{
	struct option_action *action = &options->actions[options->action_count];

	if (options->action_count == LIMIT_ACTIONS)
		return error_set(err, ERROR_USAGE, "more than %d actions",
				 LIMIT_ACTIONS);
	*action = (struct option_action){ id, text };
	options->action_count++;
	return 0;
}

static int value_parse(enum option_id id, const char *text,
		       struct options *options, struct error *err)
{
	const struct option_entry *e = &option_table[id];
	struct option_value *value = &options->value[id];

	if (value->given && e->kind != OPTION_IS_FLAG && !e->action)
		return error_set(err, ERROR_USAGE, "--%s: given twice",
				 e->name);
	switch (e->kind) {
	case OPTION_IS_FLAG:
		break;
	case OPTION_IS_NUMBER:
		if (number_parse(e, text, &value->number, err) < 0)
			return -1;
		break;
	case OPTION_IS_DURATION:
		if (duration_parse(text, &value->number) < 0) {
			error_set(err, ERROR_USAGE, "--%s %s: not a time",
				  e->name, text);
			return error_remedy(err, "write 500ms, 10s, 5m or 1h");
		}
		break;
	case OPTION_IS_TEXT:
		if (!*text)
			return error_set(err, ERROR_USAGE, "--%s: empty",
					 e->name);
		value->text = text;
		break;
	}
	value->given = true;
	/* --stack N is one where actions are taken. */
	if (e->action || (id == OPTION_STACK && value->number))
		return action_add(id, text, options, err);
	return 0;
}

/* The argument that getopt stumbled over, as it was typed. */
static int complain(int answer, char **argv, struct error *err)
{
	const char *typed = argv[optind - 1];
	int entry = entry_of(optopt);

	if (answer == ':')
		return error_set(err, ERROR_USAGE, "%s wants an argument",
				 typed);
	if (entry >= 0 && optopt >= LONG_BASE)
		return error_set(err, ERROR_USAGE, "%s: takes no argument",
				 typed);
	if (optopt && optopt < LONG_BASE)
		return error_set(err, ERROR_USAGE, "unknown option -%c",
				 optopt);
	return error_set(err, ERROR_USAGE, "unknown option %s", typed);
}

int options_parse(int argc, char **argv, struct options *ret_options,
		  struct error *err)
{
	struct getopt_tables tables;
	struct options options;
	int answer;

	memset(&options, 0, sizeof(options));
	getopt_fill(&tables);
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while ((answer = getopt_long(argc, argv, tables.letters, tables.longs,
				     NULL)) != -1) {
		int entry =
			answer == '?' || answer == ':' ? -1 : entry_of(answer);

		if (entry < 0)
			return complain(answer, argv, err);
		if (value_parse((enum option_id)entry, optarg, &options, err))
			return -1;
	}
	options.argc = argc - optind;
	options.argv = argv + optind;
	*ret_options = options;
	return 0;
}

int options_allow(const struct options *options, unsigned groups,
		  const char *verb, struct error *err)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (options->value[i].given &&
		    !(option_table[i].group & groups))
			return error_set(err, ERROR_USAGE,
					 "%s does not take --%s", verb,
					 option_table[i].name);
	return 0;
}

void options_usage(struct text *text, unsigned groups)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_entry *e = &option_table[i];
		size_t from = text->length;

		if (!(e->group & groups))
			continue;
		if (e->letter)
			text_addf(text, "  -%c, --%s", e->letter, e->name);
		else
			text_addf(text, "      --%s", e->name);
		if (e->argument)
			text_addf(text, " %s", e->argument);
		text_pad(text, from, 26);
		text_addf(text, " %s\n", e->help);
	}
}
