/* SPDX-License-Identifier: MIT */
/*
 * script: the script of a breakpoint (proto/probe_spec.h), compiled: what
 * agent/hit.h runs. Owned by the probe. Control thread, GIL held.
 */
#ifndef NOPDB_AGENT_SCRIPT_H
#define NOPDB_AGENT_SCRIPT_H

#include "agent/expression.h"
#include "proto/probe_spec.h"

struct script_action {
	enum action_kind kind;
	struct expression expression; /* eval, log */
	struct object *object; /* exec: the code; log: its parts; jump and
				* call: a str */
	char *text;	       /* as it was given, a JSON string */
	unsigned text_length;
};

struct script {
	struct expression condition, once_per; /* text NULL: not given */
	struct object *seen;		       /* a set, for once_per */
	struct object *thread;		       /* a str; NULL: any thread */
	char line[LIMIT_TEXT];	/* the text that a line must have, "" without */
	struct object *pattern; /* that it must have: compiled, or NULL */
	int action_count;
	struct script_action actions[LIMIT_ACTIONS];
};

/* The expressions of a script as its bindings number them. */
enum {
	SCRIPT_CONDITION,
	SCRIPT_ONCE_PER,
	SCRIPT_ACTIONS,
	SCRIPT_BINDINGS = SCRIPT_ACTIONS + LIMIT_ACTIONS
};

/* Compiles what a probe brings. Fails with LOCATION, CONDITION or CODE, nothing
 * is left then. */
int script_compile(struct script *script, const struct probe_spec *spec,
		   struct frame_error *err);
/* Adds actions at the end: all of them, or none and CODE or LIMIT. What parts
 * of a log stand for is withheld by the probe's redaction. */
int script_add(struct script *script, const struct probe_script *given,
	       const struct redaction *redaction, struct frame_error *err);

/* Is this the thread that was asked for? */
bool script_thread_fits(const struct script *script);

void script_release(struct script *script);

#endif
