/* SPDX-License-Identifier: MIT */
/*
 * redact: what must not leave a target. By default a value is withheld for the
 * name it goes by: passwords, tokens, keys, cookies and the like. Names are
 * compared in lower case and without separators, so that db_password,
 * dbPassword and DB-Password are one. Strict mode also withholds texts that
 * look like a secret. Pure, shared with the agent.
 */
#ifndef NOPDB_PROTO_REDACT_H
#define NOPDB_PROTO_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

/* Both lists: names or globs with commas between them. An entry of `also`
 * that starts with "type:" is a glob of types (`type:app.Secret*`). */
struct redaction {
	uint32_t strict;
	char also[LIMIT_REDACT];   /* besides the table */
	char except[LIMIT_REDACT]; /* whatever else says otherwise */
};

/* Is it in the table? */
bool redact_known(const char *name, size_t length);

/* Is a value of this name withheld? known: what redact_known() says. */
bool redact_name(const struct redaction *redaction, const char *name,
		 size_t length, bool known);

/* Is a value of this type ("module.Class") withheld? */
bool redact_type(const struct redaction *redaction, const char *type);

/* Are there types to ask for? */
bool redact_has_types(const struct redaction *redaction);

/* What a text gives away: "token", "private-key", "card", "url", "name" (an
 * assignment to a name that is withheld); NULL: nothing. cut: the text went on
 * at its end, or at a double quote. Not only in strict mode: the caller
 * decides. */
const char *redact_text(const struct redaction *redaction, const char *text,
			size_t length, bool cut);

#endif
