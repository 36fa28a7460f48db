/* SPDX-License-Identifier: MIT */
#include "daemon/method.h"
#include "daemon/session.h"
#include "daemon/target.h"

static const struct param params[] = {
	{ "probe", PARAM_PROBE, false },
	{ "pid", PARAM_PID, false },
	{ "target", PARAM_STRING, false },
	{ NULL, PARAM_END, false },
};

static void render(struct json_writer *w, const void *arg)
{
	json_key(w, "subscribed");
	json_bool(w, true);
}

/* Fails the call and returns false when what is named does not exist. */
static bool take_scope(struct call *call, struct subscription *wanted)
{
	const cJSON *given = call->request.params;

	if (params_object(given, "probe")) {
		const struct probe *probe = method_probe(call);

		if (!probe)
			return false;
		wanted->scope = SUBSCRIBE_PROBE;
		wanted->probe = probe->spec.id;
	} else if (params_object(given, "pid") ||
		   params_object(given, "target")) {
		const struct target *target = method_live_target(call);

		if (!target)
			return false;
		wanted->scope = SUBSCRIBE_TARGET;
		wanted->serial = target->serial;
	}
	return true;
}

static void subscribe(struct call *call)
{
	struct subscription wanted = { .scope = SUBSCRIBE_ALL };
	struct error err = ERROR_INIT;

	if (!take_scope(call, &wanted))
		return;
	if (subscriptions_add(&call->session->subscriptions, &wanted, &err))
		call_fail(call, &err);
	else
		call_answer(call, render, NULL);
}

const struct method method_subscribe = { "subscribe", params, subscribe,
					 GATE_ATTACHED, RIGHT_CAPTURE };
