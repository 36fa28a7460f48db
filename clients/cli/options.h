/* SPDX-License-Identifier: MIT */
/*
 * options: one table of every option. The parser, the usage texts and the
 * limits of a request are derived from it and from nothing else.
 */
#ifndef NOPDB_CLI_OPTIONS_H
#define NOPDB_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"
#include "proto/limits.h"

enum option_id {
	OPTION_FUNCTION,
	OPTION_FILE,
	OPTION_MODULE,
	OPTION_CALLABLE,
	OPTION_HITS,
	OPTION_TIME,
	OPTION_RATE,
	OPTION_MIN_DURATION,
	OPTION_ONLY_EXCEPTIONS,
	OPTION_YIELDS,
	OPTION_DEPTH,
	OPTION_ITEMS,
	OPTION_STRING,
	OPTION_STACK,
	OPTION_NO_LOCALS,
	OPTION_REDACT,
	OPTION_NO_REDACT,
	OPTION_STRICT,
	OPTION_ARRAYS,
	OPTION_REPR,
	OPTION_LINE,
	OPTION_LINE_REGEX,
	OPTION_IF,
	OPTION_EVAL,
	OPTION_EXEC,
	OPTION_EXEC_FILE,
	OPTION_LOG,
	OPTION_JUMP,
	OPTION_CALL,
	OPTION_DEBUG,
	OPTION_DEBUG_TIMEOUT,
	OPTION_EVERY,
	OPTION_AFTER,
	OPTION_THREAD,
	OPTION_ONCE_PER,
	OPTION_EVAL_TIME,
	OPTION_EXEC_TIME,
	OPTION_TIMEOUT,
	OPTION_STDOUT,
	OPTION_SOURCE,
	OPTION_PERSIST,
	OPTION_DETACH_ON_EXIT,
	OPTION_FORCE,
	OPTION_LOCALS,
	OPTION_NATIVE,
	OPTION_NO_NATIVE,
	OPTION_STOP,
	OPTION_TREE,
	OPTION_ROOT,
	OPTION_OUTPUT,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_SOCKET,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT
};

enum option_kind {
	OPTION_IS_FLAG,
	OPTION_IS_NUMBER,
	OPTION_IS_DURATION, /* nanoseconds once parsed */
	OPTION_IS_TEXT,
};

/* Which verbs take an option: a verb names the groups it knows. */
enum option_group {
	GROUP_GLOBAL = 1 << 0,
	GROUP_WHERE = 1 << 1,
	GROUP_LIMITS = 1 << 2,
	GROUP_CALLS = 1 << 3,
	GROUP_DETACH = 1 << 4,
	GROUP_STACK = 1 << 5,
	GROUP_VALUES = 1 << 6, /* how much of a value is shown */
	GROUP_BREAK = 1 << 7,
	GROUP_PERSIST = 1 << 8,
	GROUP_EVALUATE = 1 << 9, /* eval and exec */
	GROUP_EXEC = 1 << 10,
	GROUP_LINE = 1 << 11,
	GROUP_ACTION = 1 << 12,
	GROUP_SOURCE = 1 << 13,
};

struct option_entry {
	const char *name;
	char letter; /* 0: none */
	enum option_kind kind;
	unsigned group;	      /* enum option_group, one or more */
	const char *argument; /* its name in the usage text; NULL: flag */
	const char *help;
	const char *choices; /* the words it may be, with spaces between */
	const char *limit;   /* its member of `limits`; NULL: none */
	uint64_t unit_ns;    /* of that member, for a duration */
	uint64_t most;	     /* largest number; 0: no bound of its own */
	bool action;	     /* of a breakpoint: each one given counts */
};

extern const struct option_entry option_table[OPTION_COUNT];

/* Options that stand for an action, in the order given. */
struct option_action {
	enum option_id id;
	const char *text; /* points into argv */
};

struct options {
	struct option_value {
		bool given;
		uint64_t number;
		const char *text; /* points into argv */
	} value[OPTION_COUNT];
	struct option_action actions[LIMIT_ACTIONS];
	int action_count;
	int argc; /* what is left: the verb first */
	char **argv;
};

/* Parses argv, options before, between and behind the arguments; permutes
 * argv. Fails with USAGE. Not reentrant (getopt). */
int options_parse(int argc, char **argv, struct options *ret_options,
		  struct error *err) NOPDB_CHECKED;

/* Fails with USAGE when an option was given that is in none of the groups. */
int options_allow(const struct options *options, unsigned groups,
		  const char *verb, struct error *err) NOPDB_CHECKED;

static inline bool option_given(const struct options *options,
				enum option_id id)
{
	return options->value[id].given;
}

struct text;
/* The usage lines of the options of these groups. */
void options_usage(struct text *text, unsigned groups);

#endif
