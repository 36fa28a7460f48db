/* SPDX-License-Identifier: MIT */
/*
 * limits: the `limits` of a request, and of a listing, which uses the same
 * form. Pure.
 */
#ifndef NOPDB_DAEMON_LIMITS_H
#define NOPDB_DAEMON_LIMITS_H

#include <cjson/cJSON.h>

#include "proto/error.h"
#include "proto/probe_spec.h"

/* Fills in the defaults, then what is given (NULL: nothing). PARAMS, with the
 * member's name in the message. */
int limits_take(const cJSON *given, struct probe_limits *ret_limits,
		struct error *err) NOPDB_CHECKED;

/* Takes the members strict, redact and no_redact, those that are given. */
int limits_take_redaction(const cJSON *given, struct redaction *redaction,
			  struct error *err) NOPDB_CHECKED;

#endif
