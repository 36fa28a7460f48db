/* SPDX-License-Identifier: MIT */
#include "daemon/daemon.h"
#include "daemon/method.h"
#include "daemon/script.h"
#include "daemon/target.h"
#include "daemon/where.h"

static const struct param params[] = {
	{ "pid", PARAM_PID, false },
	{ "target", PARAM_STRING, false },
	{ "where", PARAM_STRING, false },
	{ "module", PARAM_STRING, false },
	{ "file", PARAM_STRING, false },
	{ "function", PARAM_STRING, false },
	{ "line", PARAM_LINE, false },
	{ "line_regex", PARAM_STRING, false },
	{ "if", PARAM_STRING, false },
	{ "once_per", PARAM_STRING, false },
	{ "thread", PARAM_STRING, false },
	{ "actions", PARAM_ARRAY, false },
	{ "callable", PARAM_STRING, false },
	{ NULL, PARAM_END, false },
};

static void render(struct json_writer *w, const void *arg)
{
	const struct frame *answer = arg;

	record_splice(w, answer->payload, answer->length);
}

static void on_lines(struct control *control, void *arg,
		     const struct frame *answer, const struct error *err)
{
	struct call *call = arg;
	struct error bad = ERROR_INIT;

	if (answer && !record_check(answer->payload, answer->length)) {
		call_answer(call, render, answer);
		return;
	}
	if (answer)
		error_set(&bad, ERROR_AGENT, "malformed answer of the agent");
	call_fail(call, answer ? &bad : err);
}

static void lines(struct call *call)
{
	struct probe_spec spec = { .kind = PROBE_CALLS };
	struct error err = ERROR_INIT;
	char encoded[PROBE_SPEC_MAX];
	struct target *target;
	size_t size;

	if (where_take(call->request.params, true, &spec.where, &err) ||
	    script_take(call->request.params, &spec, &err)) {
		call_fail(call, &err);
		return;
	}
	target = method_live_target(call);
	if (!target)
		return;
	/* The code of a script is compiled as well: what cannot be set fails
	 * as probe.add would. */
	if (spec.where.line_kind != LINE_NONE || spec.script.condition ||
	    spec.script.once_per || spec.script.action_count)
		spec.kind = PROBE_BREAK;
	probe_limits_default(&spec.limits);
	size = probe_spec_encode(&spec, encoded, sizeof(encoded));
	if (control_ask(&target->control, FRAME_LINES, FRAME_LINES_ANSWER,
			encoded, (uint32_t)size, on_lines, call, &err))
		call_fail(call, &err);
}

const struct method method_lines = { "lines", params, lines, GATE_ATTACHED,
				     RIGHT_CAPTURE };
