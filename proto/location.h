/* SPDX-License-Identifier: MIT */
/*
 * location: the WHERE of the command line and of `probe.add`, parsed.
 *
 *   pkg.mod:Class.meth   a module and a function (name, qualified name, glob)
 *   name                 a function of that name in any module
 *   Class.meth           the same, by qualified name
 *   file.py:120          a line (location_parse_line only)
 */
#ifndef NOPDB_PROTO_LOCATION_H
#define NOPDB_PROTO_LOCATION_H

#include "proto/error.h"
#include "proto/probe_spec.h"

/* Parses WHERE; LOCATION with the reason and the remedy when malformed. */
int location_parse(const char *where, struct location *ret_location,
		   struct error *err) NOPDB_CHECKED;

/* The same, for what stops at lines as well. */
int location_parse_line(const char *where, struct location *ret_location,
			struct error *err) NOPDB_CHECKED;

/* Checks parts that came one by one (--module, --file, --function). */
int location_check(const struct location *location,
		   struct error *err) NOPDB_CHECKED;

/* "pkg.mod:func", "--file x.py --function f": for messages and lists. Writes
 * at most size bytes with the NUL; returns buf. */
const char *location_text(const struct location *location, char *buf,
			  size_t size);

#endif
