/* SPDX-License-Identifier: MIT */
/*
 * where: the location that a request gives, as `where` or in parts. Pure.
 */
#ifndef NOPDB_DAEMON_WHERE_H
#define NOPDB_DAEMON_WHERE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "proto/error.h"
#include "proto/probe_spec.h"

/* Takes where, module, file and function of checked params. Parts may narrow
 * `where` down, but not say the same thing twice. line: may `where` end with
 * the number of one? With a callable, the module in whose globals it is
 * evaluated. LOCATION when malformed. */
int where_take(const cJSON *params, bool line, struct location *ret_location,
	       struct error *err) NOPDB_CHECKED;

#endif
