/* SPDX-License-Identifier: MIT */
/*
 * discover: code objects that are already there: in the namespaces of loaded
 * modules (functions, classes, descriptors, wrappers by __wrapped__ and
 * closure, nested code by constants), and on the stacks of all threads. Runs
 * no code of the program: types are compared, fields are read. Bounded in
 * depth and in number.
 */
#ifndef NOPDB_AGENT_DISCOVER_H
#define NOPDB_AGENT_DISCOVER_H

#include "agent/python.h"
#include "proto/probe_spec.h"

/* One code object found; all borrowed, valid during the visit. Its qualified
 * name costs something: ask qualname_found() for it. */
struct discovered {
	struct object *code;
	struct object *globals;		/* may be NULL */
	struct object *function;	/* that has this code; NULL: unknown */
	const struct discovered *outer; /* in whose constants it is, or NULL */
};

/* Non-zero ends the walk. A code object may be visited more than once. */
typedef int discover_visit(const struct discovered *found, void *arg);

/* Visits every code object that may fit the location; the visitor decides.
 * Control thread; gives the GIL up now and then. -1: the interpreter went
 * away meanwhile. */
int discover(const struct location *where, discover_visit *visit, void *arg);

/* Visits what a module's dict leads to. Any thread with the GIL; keeps it. */
void discover_namespace(struct object *globals, discover_visit *visit,
			void *arg);

#endif
