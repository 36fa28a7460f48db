/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "daemon/limits.h"
#include "daemon/method.h"
#include "daemon/probe_life.h"
#include "daemon/script.h"
#include "daemon/target.h"
#include "daemon/where.h"

static const struct param params[] = {
	{ "pid", PARAM_PID, false },
	{ "target", PARAM_STRING, false },
	{ "kind", PARAM_STRING, true },
	{ "where", PARAM_STRING, false },
	{ "module", PARAM_STRING, false },
	{ "file", PARAM_STRING, false },
	{ "function", PARAM_STRING, false },
	{ "limits", PARAM_OBJECT, false },
	{ "persist", PARAM_BOOL, false },
	{ "line", PARAM_LINE, false },
	{ "line_regex", PARAM_STRING, false },
	{ "if", PARAM_STRING, false },
	{ "thread", PARAM_STRING, false },
	{ "once_per", PARAM_STRING, false },
	{ "actions", PARAM_ARRAY, false },
	{ "callable", PARAM_STRING, false },
	{ NULL, PARAM_END, false },
};

/* What only breakpoints have. */
static int check_calls(const cJSON *given, struct error *err)
{
	static const char *const names[] = { "line",	 "line_regex", "if",
					     "once_per", "actions",    NULL };

	for (const char *const *name = names; *name; name++)
		if (params_object(given, *name))
			return error_set(err, ERROR_PARAMS,
					 "probe.add: '%s' belongs to "
					 "breakpoints",
					 *name);
	return 0;
}

/* What cannot be together. */
static int check_limits(const struct probe_spec *spec, struct error *err)
{
	const struct probe_limits *limits = &spec->limits;

	if (spec->kind == PROBE_BREAK &&
	    (limits->min_duration_ns || limits->only_exceptions))
		return error_set(err, ERROR_PARAMS,
				 "probe.add: 'min_duration_ns' and "
				 "'only_exceptions' belong to calls");
	if (limits->time_ms &&
	    limits->min_duration_ns / 1000000 >= limits->time_ms)
		return error_set(err, ERROR_PARAMS,
				 "probe.add: no call can take "
				 "'min_duration_ns' before 'time_ms' is over");
	return 0;
}

static int take_spec(const cJSON *given, struct probe_spec *spec,
		     struct error *err)
{
	const char *kind = params_string(given, "kind");

	if (!strcmp(kind, "calls"))
		spec->kind = PROBE_CALLS;
	else if (!strcmp(kind, "break"))
		spec->kind = PROBE_BREAK;
	else
		return error_set(err, ERROR_PARAMS,
				 "probe.add: unknown kind '%.32s'", kind);
	if (spec->kind == PROBE_CALLS && check_calls(given, err))
		return -1;
	if (where_take(given, spec->kind == PROBE_BREAK, &spec->where, err) ||
	    script_take(given, spec, err))
		return -1;
	if (limits_take(params_object(given, "limits"), &spec->limits, err))
		return error_wrap(err, "probe.add");
	return check_limits(spec, err);
}

/* A debugger needs the client that asked for it. */
static int check_persist(const cJSON *given, const struct probe_spec *spec,
			 struct error *err)
{
	const struct probe_script *script = &spec->script;

	if (!params_bool(given, "persist"))
		return 0;
	for (uint32_t i = 0; i < script->action_count; i++)
		if (script->actions[i].kind == ACTION_DEBUG)
			return error_set(err, ERROR_PARAMS,
					 "probe.add: a probe that debugs "
					 "belongs to its client: not with "
					 "'persist'");
	return 0;
}

static void probe_add(struct call *call)
{
	const cJSON *given = call->request.params;
	struct probe_spec spec = { 0 };
	struct error err = ERROR_INIT;
	struct target *target;

	if (take_spec(given, &spec, &err) ||
	    check_persist(given, &spec, &err)) {
		call_fail(call, &err);
		return;
	}
	target = method_live_target(call);
	if (target)
		probe_life_add(target, call, &spec,
			       params_bool(given, "persist"));
}

const struct method method_probe_add = { "probe.add", params, probe_add,
					 GATE_ATTACHED, RIGHT_CAPTURE };
