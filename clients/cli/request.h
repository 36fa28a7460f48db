/* SPDX-License-Identifier: MIT */
/*
 * request: params of the methods that take a location or limits, from the
 * options and arguments.
 */
#ifndef NOPDB_CLI_REQUEST_H
#define NOPDB_CLI_REQUEST_H

#include <cjson/cJSON.h>

#include "clients/cli/options.h"
#include "proto/error.h"

/* Was any of --function, --file, --module given? */
bool request_has_location(const struct options *options);

/* Checks WHERE (may be NULL) and the options before anything is touched; lines:
 * WHERE may be file.py:120. Fails with LOCATION. */
int request_check_location(const struct options *options, const char *where,
			   bool lines, struct error *err) NOPDB_CHECKED;

/* Adds `where`, `module`, `file`, `function`. */
void request_add_location(cJSON *params, const struct options *options,
			  const char *where);

/* Refuses options of the debugger that do not go together. */
int request_check_debug(const struct options *options,
			struct error *err) NOPDB_CHECKED;

/* Adds `line`, `line_regex`. */
void request_add_line(cJSON *params, const struct options *options);

/* Adds `actions`. Fails when --exec-file cannot be read. */
int request_add_actions(cJSON *params, const struct options *options,
			struct error *err) NOPDB_CHECKED;

/* Adds the line, conditions and actions of a breakpoint. Fails when --exec-file
 * cannot be read. */
int request_add_script(cJSON *params, const struct options *options,
		       struct error *err) NOPDB_CHECKED;

/* Adds `thread`. */
void request_add_thread(cJSON *params, const struct options *options);

/* Fails with USAGE when options contradict each other. */
int request_check_limits(const struct options *options,
			 struct error *err) NOPDB_CHECKED;

/* Adds what the options say of what is withheld, to `limits` or to params. */
void request_add_redaction(cJSON *object, const struct options *options);

/* Adds `limits` with those that were given. */
void request_add_limits(cJSON *params, const struct options *options);

/* The text of a file of statements, or of stdin ("-"); the caller frees it.
 * NULL with USAGE. */
char *request_read_code(const char *path, struct error *err);

#endif
