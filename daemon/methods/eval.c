/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "daemon/limits.h"
#include "daemon/method.h"
#include "daemon/record.h"
#include "daemon/target.h"

/* As for a member of a probe: longer code comes in a file of the program. */
static const struct param eval_params[] = {
	{ "pid", PARAM_PID, false },	   { "target", PARAM_STRING, false },
	{ "expr", PARAM_TEXT, true },	   { "module", PARAM_STRING, false },
	{ "time_ms", PARAM_COUNT, false }, { "stdout", PARAM_BOOL, false },
	{ "limits", PARAM_OBJECT, false }, { NULL, PARAM_END, false },
};

static const struct param exec_params[] = {
	{ "pid", PARAM_PID, false },	   { "target", PARAM_STRING, false },
	{ "code", PARAM_TEXT, true },	   { "module", PARAM_STRING, false },
	{ "time_ms", PARAM_COUNT, false }, { "stdout", PARAM_BOOL, false },
	{ "limits", PARAM_OBJECT, false }, { NULL, PARAM_END, false },
};

struct value {
	struct record_head head;
	const struct frame *answer;
};

/* A whole record, so that clients treat it as one. */
static void render(struct json_writer *w, const void *arg)
{
	const struct value *value = arg;

	record_head_write(w, &value->head);
	record_splice(w, value->answer->payload, value->answer->length);
}

static void on_value(struct control *control, void *arg,
		     const struct frame *answer, const struct error *err)
{
	struct target *target = control->owner;
	struct call *call = arg;
	struct error bad = ERROR_INIT;
	const struct value value = {
		.head = { .event = "value",
			  .target = target->name,
			  .pid = target->id.pid },
		.answer = answer,
	};

	if (answer && !record_check(answer->payload, answer->length)) {
		call_answer(call, render, &value);
		return;
	}
	if (answer)
		error_set(&bad, ERROR_AGENT, "malformed answer of the agent");
	call_fail(call, answer ? &bad : err);
}

static int take_module(const cJSON *given, struct location *where,
		       struct error *err)
{
	const char *module = params_string(given, "module");

	if (!module)
		return 0;
	if (strlen(module) >= sizeof(where->module))
		return error_set(err, ERROR_LOCATION,
				 "module: longer than %zu bytes",
				 sizeof(where->module) - 1);
	memcpy(where->module, module, strlen(module) + 1);
	return 0;
}

static int take_time(const cJSON *given, uint32_t *ret_ms, struct error *err)
{
	uint64_t time_ms = DEFAULT_EVALUATION_MS;

	params_uint(given, "time_ms", &time_ms);
	if (!time_ms || time_ms > LIMIT_EVALUATION_MS)
		return error_set(err, ERROR_PARAMS,
				 "time_ms: from 1 to %u, which is an hour",
				 LIMIT_EVALUATION_MS);
	*ret_ms = (uint32_t)time_ms;
	return 0;
}

/* The frame's payload; its size, 0 with an error. */
static size_t encode(const cJSON *given, uint32_t kind, char *buf, size_t size,
		     struct error *err)
{
	struct frame_evaluate how = { .keep = params_bool(given, "stdout") };
	struct probe_spec spec = { .kind = PROBE_BREAK };
	struct probe_action *action = &spec.script.actions[0];
	size_t used;

	spec.script.action_count = 1;
	action->kind = kind;
	action->text =
		params_string(given, kind == ACTION_EVAL ? "expr" : "code");
	if (take_time(given, &how.time_ms, err) ||
	    take_module(given, &spec.where, err) ||
	    limits_take(params_object(given, "limits"), &spec.limits, err))
		return 0;
	memcpy(buf, &how, sizeof(how));
	used = probe_spec_encode(&spec, buf + sizeof(how), size - sizeof(how));
	if (!used ||
	    (kind == ACTION_EVAL && strlen(action->text) >= LIMIT_TEXT)) {
		error_set(err, ERROR_PARAMS, "%s: not shorter than %d bytes",
			  kind == ACTION_EVAL ? "expr" : "code",
			  kind == ACTION_EVAL ? LIMIT_TEXT : LIMIT_CODE);
		return 0;
	}
	return sizeof(how) + used;
}

static void evaluate(struct call *call, uint32_t kind)
{
	char payload[sizeof(struct frame_evaluate) + PROBE_SPEC_MAX];
	struct error err = ERROR_INIT;
	struct target *target;
	size_t size = encode(call->request.params, kind, payload,
			     sizeof(payload), &err);

	if (!size) {
		call_fail(call, &err);
		return;
	}
	target = method_live_target(call);
	if (!target)
		return;
	target_hold(target, call->session);
	if (control_ask(&target->control, FRAME_EVALUATE, FRAME_VALUE, payload,
			(uint32_t)size, on_value, call, &err))
		call_fail(call, &err);
}

static void eval(struct call *call)
{
	evaluate(call, ACTION_EVAL);
}

static void exec(struct call *call)
{
	evaluate(call, ACTION_EXEC);
}

const struct method method_eval = { "eval", eval_params, eval, GATE_ATTACHED,
				    RIGHT_EVAL };
const struct method method_exec = { "exec", exec_params, exec, GATE_ATTACHED,
				    RIGHT_EXEC };
