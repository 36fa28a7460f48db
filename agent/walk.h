/* SPDX-License-Identifier: MIT */
/*
 * walk: from a namespace to the code objects it leads to. The way goes
 * through exact types only, whose fields are read in place: functions,
 * classes, classmethod, staticmethod, property, bound methods, partial, what
 * functools.wraps and decorators leave, closure cells, constants of code.
 * Each value is held while it is looked at; the dicts may change meanwhile.
 *
 * GIL held. Belongs to discover.
 */
#ifndef NOPDB_AGENT_WALK_H
#define NOPDB_AGENT_WALK_H

#include "agent/discover.h"

enum {
	WALK_SEEN = 4096,    /* objects remembered, a power of two */
	WALK_STEPS = 100000, /* values looked at in one namespace */
	WALK_DEPTH = 8,
};

/* Offsets in PyTypeObject, the same in 3.7-3.15 GIL builds. */
enum { TYPE_BASE = 256, TYPE_DICT = 264, TYPE_DICT_OFFSET = 288 };

struct walk {
	discover_visit *visit;
	void *arg;
	int stop;  /* what the visitor said */
	int steps; /* left in this namespace */
	int seen_count;
	struct object *seen[WALK_SEEN];
};

struct walk *walk_new(discover_visit *visit, void *arg);
void walk_free(struct walk *walk);

/* Visits what the values of a dict lead to. */
void walk_namespace(struct walk *walk, struct object *dict);

/* Visits a code object and the code in its constants. */
void walk_code(struct walk *walk, const struct discovered *found);

#endif
