/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "daemon/debug.h"
#include "daemon/method.h"

static const struct param params[] = {
	{ "probe", PARAM_PROBE, true },
	{ "session", PARAM_PROBE, true },
	{ "text", PARAM_INPUT, false },
	{ NULL, PARAM_END, false },
};

static void render(struct json_writer *w, const void *arg)
{
	json_key(w, "taken");
	json_bool(w, true);
}

/* One line for a debugger; without a text, the end of input. */
static void handle(struct call *call)
{
	const char *text = params_string(call->request.params, "text");
	struct error err = ERROR_INIT;
	struct probe *probe = method_probe(call);
	uint64_t session = 0;

	if (!probe)
		return;
	params_uint(call->request.params, "session", &session);
	if (debug_input(probe, call->session, (uint32_t)session, text, &err))
		call_fail(call, &err);
	else
		call_answer(call, render, NULL);
}

const struct method method_debug_input = { "debug.input", params, handle,
					   GATE_ATTACHED, RIGHT_DEBUG };
