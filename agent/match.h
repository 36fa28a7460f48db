/* SPDX-License-Identifier: MIT */
/*
 * match: does a location fit a code object? Asked once per code object: when
 * it first runs (by the engine), and when a probe is set (by discover, for
 * what is loaded or running already).
 *
 * module: the __name__ of the globals; the program's main module answers to
 *   the name it was run by as well (python -m http.server).
 * file: co_filename, as glob_match_path; a relative one is seen from the
 *   current directory when the pattern is absolute.
 * function: without a dot the plain name or the qualified name; with one the
 *   qualified name, with or without its <locals> parts. Globs likewise.
 */
#ifndef NOPDB_AGENT_MATCH_H
#define NOPDB_AGENT_MATCH_H

#include "agent/code.h"
#include "agent/qualname.h"

/* What a code object is called. */
struct match_names {
	char module[LIMIT_NAME];
	char alias[LIMIT_NAME]; /* of __main__, "" without */
	char qualname[QUALNAME_SIZE];
};

/* Matches a code object that the engine has not seen before against all
 * probes. On a match makes its entry, arms it (engine->arm) and reports
 * `armed` through the ring. Returns the entry, or NULL: no probe wants it.
 * globals: borrowed, may be NULL. Runs no user code, keeps the error
 * indicator. Any thread, GIL held. */
struct code *match_code(struct object *object, struct object *globals);

/* The same for one probe only, for a code object that a walk found; arms it,
 * without a report. Returns the entry when it matches. Control thread. */
struct code *match_probe(struct probe *probe, const struct discovered *found);

/* The same for code that has an entry already, because of another probe: a
 * closure, say, to which no walk leads. */
struct code *match_known(struct probe *probe, struct code *code);

/* Only asks. The names are written when it fits. */
bool match_where(const struct location *where, const struct discovered *found,
		 struct match_names *ret_names);

/* May a module with these globals have code that fits? */
bool match_module(const struct location *where, struct object *globals);

#endif
