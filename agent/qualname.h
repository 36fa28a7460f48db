/* SPDX-License-Identifier: MIT */
/*
 * qualname: the qualified name of a code object. 3.11+ has it in the code;
 * before, only function objects carry it, so it is found from the module's
 * namespace (functions, classes and what wraps them) and the constants of the
 * code found there.
 */
#ifndef NOPDB_AGENT_QUALNAME_H
#define NOPDB_AGENT_QUALNAME_H

#include <stdbool.h>

#include "agent/discover.h"

enum { QUALNAME_SIZE = 512 }; /* with NUL; longer ones are cut */

/* Writes the qualified name; the plain co_name when no better one is known
 * (then returns false). globals: borrowed, may be NULL. */
bool qualname_of(struct object *code, struct object *globals, char *buf,
		 size_t size);

/* The same for what a walk is just visiting, without another walk. */
bool qualname_found(const struct discovered *found, char *buf, size_t size);

/* Takes the "<locals>." parts out of a qualified name, in place. */
void qualname_drop_locals(char *qualname);

#endif
