/* SPDX-License-Identifier: MIT */
/*
 * verb: what the command can do, one entry and one file each.
 */
#ifndef NOPDB_CLI_VERB_H
#define NOPDB_CLI_VERB_H

#include "clients/cli/session.h"

struct verb {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *summary;   /* one line */
	const char *text;      /* more about it, ends in a newline; or NULL */
	unsigned groups;       /* of options (enum option_group) */
	bool hidden;	       /* not in the list of verbs */
	int least;	       /* arguments, without the verb itself */
	int most;
	/* argv[0] is the verb; returns the exit status. */
	int (*run)(struct session *session, int argc, char **argv);
};

extern const struct verb verb_ps;
extern const struct verb verb_doctor;
extern const struct verb verb_calls;
extern const struct verb verb_break;
extern const struct verb verb_lines;
extern const struct verb verb_eval;
extern const struct verb verb_exec;
extern const struct verb verb_stack;
extern const struct verb verb_apply;
extern const struct verb verb_actions;
extern const struct verb verb_list;
extern const struct verb verb_rm;
extern const struct verb verb_enable;
extern const struct verb verb_disable;
extern const struct verb verb_tail;
extern const struct verb verb_detach;
extern const struct verb verb_help;
extern const struct verb verb_completion;

/* NULL-terminated, in the order of the help text. */
extern const struct verb *const verbs[];

/* NULL when there is none of that name. */
const struct verb *verb_find(const char *name);

/* Appends the usage of one verb, or of the command (NULL). */
void verb_usage(struct text *text, const struct verb *verb);

#endif
