/* SPDX-License-Identifier: MIT */
/*
 * loaded: a module of the program, if it was imported, without a look-up for
 * each record. What was found is held until it changed, also where it was not
 * found: sys.modules is looked at again when it is another dict (another
 * interpreter) or has another size, and now and then.
 *
 * GIL held. Runs no code of the program, never leaves an error indicator.
 */
#ifndef NOPDB_AGENT_LOADED_H
#define NOPDB_AGENT_LOADED_H

#include "agent/python.h"

struct loaded {
	const char *name;
	struct object *module; /* held; NULL: not imported */
	struct object *modules;
	pyssize size;
	unsigned trust; /* so many questions before the next look */
	bool partial;	/* set by the caller: it is being imported just now, and
			 * lacks members; it counts as changed until it has */
};

/* Did the module change since the last question? The caller then drops what
 * it keeps of the old one and reads the new. */
bool loaded_changed(struct loaded *loaded);

/* A member of the module if its type is this one: a new reference, or NULL. */
struct object *loaded_member(const struct loaded *loaded, const char *name,
			     const struct object *type);

/* A member of a module by its name, borrowed; NULL: it is not imported, or has
 * none. Two look-ups: for what is not asked with each record. */
struct object *loaded_now(const char *module, const char *member);

/* Drops what is held; the next question starts afresh. */
void loaded_release(struct loaded *loaded);

#endif
