/* SPDX-License-Identifier: MIT */
#include "daemon/limits.h"

#include <stdio.h>
#include <string.h>

#include "daemon/params.h"

static const struct param limit_params[] = {
	{ "hits", PARAM_COUNT, false },
	{ "time_ms", PARAM_COUNT, false },
	{ "rate", PARAM_COUNT, false },
	{ "depth", PARAM_COUNT, false },
	{ "items", PARAM_COUNT, false },
	{ "string", PARAM_COUNT, false },
	{ "stack", PARAM_COUNT, false },
	{ "record", PARAM_COUNT, false },
	{ "locals", PARAM_BOOL, false },
	{ "min_duration_ns", PARAM_COUNT, false },
	{ "only_exceptions", PARAM_BOOL, false },
	{ "yields", PARAM_BOOL, false },
	{ "arrays", PARAM_STRING, false },
	{ "repr", PARAM_BOOL, false },
	{ "live", PARAM_BOOL, false },
	{ "redact", PARAM_STRING, false },
	{ "no_redact", PARAM_STRING, false },
	{ "strict", PARAM_BOOL, false },
	{ "every", PARAM_COUNT, false },
	{ "after", PARAM_COUNT, false },
	{ "eval_ms", PARAM_COUNT, false },
	{ "exec_ms", PARAM_COUNT, false },
	{ "debug_ms", PARAM_COUNT, false },
	{ NULL, PARAM_END, false },
};

/* A limit of 32 bits; larger means as large as can be. */
static void take_u32(const cJSON *given, const char *name, uint32_t *limit)
{
	uint64_t value;

	if (params_uint(given, name, &value))
		*limit = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void take_flag(const cJSON *given, const char *name, uint32_t *flag)
{
	if (params_object(given, name))
		*flag = params_bool(given, name);
}

static int take_list(const cJSON *given, const char *name, char *list,
		     struct error *err)
{
	const char *text = params_string(given, name);

	if (text && snprintf(list, LIMIT_REDACT, "%s", text) >= LIMIT_REDACT)
		return error_set(err, ERROR_PARAMS, "%s: longer than %d bytes",
				 name, LIMIT_REDACT - 1);
	return 0;
}

static int take_arrays(const cJSON *given, uint32_t *arrays, struct error *err)
{
	const char *how = params_string(given, "arrays");

	if (how && strcmp(how, "full") != 0 && strcmp(how, "summary") != 0)
		return error_set(err, ERROR_PARAMS,
				 "arrays: '%.40s' is neither 'summary' nor "
				 "'full'",
				 how);
	*arrays = how && strcmp(how, "full") == 0;
	return 0;
}

int limits_take_redaction(const cJSON *given, struct redaction *redaction,
			  struct error *err)
{
	take_flag(given, "strict", &redaction->strict);
	if (take_list(given, "redact", redaction->also, err))
		return -1;
	return take_list(given, "no_redact", redaction->except, err);
}

int limits_take(const cJSON *given, struct probe_limits *limits,
		struct error *err)
{
	probe_limits_default(limits);
	if (!given)
		return 0;
	if (params_check(given, limit_params, err))
		return error_wrap(err, "limits");
	params_uint(given, "hits", &limits->hits);
	params_uint(given, "time_ms", &limits->time_ms);
	params_uint(given, "rate", &limits->rate);
	params_uint(given, "min_duration_ns", &limits->min_duration_ns);
	take_u32(given, "depth", &limits->depth);
	take_u32(given, "items", &limits->items);
	take_u32(given, "string", &limits->string);
	take_u32(given, "stack", &limits->stack);
	take_u32(given, "record", &limits->record);
	params_uint(given, "every", &limits->every);
	params_uint(given, "after", &limits->after);
	take_u32(given, "eval_ms", &limits->eval_ms);
	take_u32(given, "exec_ms", &limits->exec_ms);
	take_u32(given, "debug_ms", &limits->debug_ms);
	take_flag(given, "locals", &limits->locals);
	take_flag(given, "only_exceptions", &limits->only_exceptions);
	take_flag(given, "yields", &limits->yields);
	take_flag(given, "repr", &limits->repr);
	take_flag(given, "live", &limits->live);
	if (take_arrays(given, &limits->arrays, err))
		return -1;
	if (limits->yields &&
	    (limits->only_exceptions || limits->min_duration_ns))
		return error_set(err, ERROR_PARAMS,
				 "'yields' cannot go with 'only_exceptions' or "
				 "'min_duration_ns': a yield comes before the "
				 "call's end");
	return limits_take_redaction(given, &limits->redaction, err);
}
