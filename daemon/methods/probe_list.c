/* SPDX-License-Identifier: MIT */
#include "daemon/daemon.h"
#include "daemon/grant.h"
#include "daemon/method.h"
#include "daemon/target.h"

static const struct param params[] = {
	{ "pid", PARAM_PID, false },
	{ "target", PARAM_STRING, false },
	{ NULL, PARAM_END, false },
};

struct list {
	const struct call *call;
	const struct target *only; /* NULL: all targets */
};

static void render(struct json_writer *w, const void *arg)
{
	const struct list *list = arg;
	const struct target *target;
	const struct probe *probe;

	json_key(w, "probes");
	json_array_begin(w);
	TAILQ_FOREACH(target, &list->call->daemon->targets, entry)
	{
		if ((list->only && list->only != target) ||
		    !grant_lets(list->call->session, target, RIGHT_SEE))
			continue;
		TAILQ_FOREACH(probe, &target->probes, of_target)
		probe_write(w, probe, list->call->session);
	}
	json_array_end(w);
}

static void probe_list(struct call *call)
{
	const cJSON *given = call->request.params;
	struct list list = { call, NULL };

	if (params_object(given, "pid") || params_object(given, "target")) {
		list.only = method_live_target(call);
		if (!list.only)
			return;
	}
	call_answer(call, render, &list);
}

const struct method method_probe_list = { "probe.list", params, probe_list,
					  GATE_ATTACHED, RIGHT_SEE };
