/* SPDX-License-Identifier: MIT */
/*
 * script: the parts of a breakpoint in a request, and in a listing, which uses
 * the same form. Pure.
 *
 *   "line": 120 | "+3" | "source text"    "line_regex": "pattern"
 *   "callable": EXPR  "if": EXPR  "thread": NAME  "once_per": EXPR
 *   "actions": [{"eval": EXPR}, {"exec": CODE}, {"log": TEXT}, {"jump": LINE},
 *		 {"call": "module:function"}, {"stack": true}]
 */
#ifndef NOPDB_DAEMON_SCRIPT_H
#define NOPDB_DAEMON_SCRIPT_H

#include <cjson/cJSON.h>

#include "proto/error.h"
#include "proto/json_write.h"
#include "proto/probe_spec.h"

/* Takes the parts from checked params of a breakpoint; the texts stay in them.
 * spec->where is filled in already. LOCATION or PARAMS when malformed. */
int script_take(const cJSON *params, struct probe_spec *spec,
		struct error *err) NOPDB_CHECKED;

/* Adds the actions alone to those that spec has. */
int script_take_actions(const cJSON *params, struct probe_spec *spec,
			struct error *err) NOPDB_CHECKED;

/* Writes the members that are given. */
void script_write(struct json_writer *w, const struct probe_spec *spec);

#endif
