/* SPDX-License-Identifier: MIT */
/*
 * evaluate: what `eval` and `exec` have in common: attach, have a text
 * evaluated outside of any frame, show the `value` record, and leave.
 */
#ifndef NOPDB_CLI_EVALUATE_H
#define NOPDB_CLI_EVALUATE_H

#include "clients/cli/session.h"

/* method: "eval" or "exec", member: of its params. Returns the exit status: 1
 * when the code raised or was interrupted. */
int evaluate(struct session *session, const char *method, const char *member,
	     const char *pid, const char *text);

#endif
