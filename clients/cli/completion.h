/* SPDX-License-Identifier: MIT */
/*
 * completion: scripts that complete the command's words in bash, zsh and fish.
 * Written from the tables of verbs and options, so that they know what the
 * parser knows. Processes are looked for in /proc: to complete a word no
 * daemon is started.
 */
#ifndef NOPDB_CLI_COMPLETION_H
#define NOPDB_CLI_COMPLETION_H

#include <stdbool.h>

#include "clients/cli/options.h"
#include "clients/cli/text.h"
#include "clients/cli/verb.h"

/* What a word can be completed with; several for PID|CORE. */
enum completion_kind {
	COMPLETE_PID = 1 << 0,
	COMPLETE_FILE = 1 << 1,
	COMPLETE_FOLDER = 1 << 2,
	COMPLETE_VERB = 1 << 3,
};

/* Of a verb's argument at this position, from 0, as its usage line names it;
 * the last one's where that is repeated ("..."). 0: nothing to offer. */
unsigned completion_argument(const struct verb *verb, int position);

/* Of the value of an option. */
unsigned completion_value(const struct option_entry *entry);

/* The shells' scripts. */
void completion_bash(struct text *text);
void completion_zsh(struct text *text);
void completion_fish(struct text *text);

#endif
