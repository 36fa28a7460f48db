/* SPDX-License-Identifier: MIT */
/*
 * params: the parameters of a request, checked against a table before any
 * method sees them: none that is unknown, none twice, each of its type, no
 * required one missing. Pure.
 */
#ifndef NOPDB_DAEMON_PARAMS_H
#define NOPDB_DAEMON_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "proto/error.h"

enum param_type {
	PARAM_END,
	PARAM_BOOL,
	PARAM_STRING, /* not empty, at most PARAM_STRING_MAX bytes */
	PARAM_TEXT,   /* the same, shorter than LIMIT_CODE */
	PARAM_INPUT,  /* as PARAM_STRING, and may be empty */
	PARAM_OBJECT,
	PARAM_ARRAY,
	PARAM_LINE,  /* 1 .. 2^31 - 1, or a string */
	PARAM_PID,   /* 1 .. 4194304, the kernel's PID_MAX_LIMIT */
	PARAM_PROBE, /* 1 .. 2^32 - 1 */
	PARAM_COUNT, /* 0 .. 2^53 */
};

#define PARAM_STRING_MAX 4096

struct param {
	const char *name;
	enum param_type type;
	bool required;
};

/* Checks params (NULL: none given) against a table that ends with PARAM_END.
 * PARAMS, with the parameter's name in the message. */
int params_check(const cJSON *params, const struct param *table,
		 struct error *err) NOPDB_CHECKED;

/* Of checked params: NULL or false when it was not given. */
const char *params_string(const cJSON *params, const char *name);
bool params_uint(const cJSON *params, const char *name, uint64_t *ret_value);
bool params_bool(const cJSON *params, const char *name);
const cJSON *params_object(const cJSON *params, const char *name);

#endif
