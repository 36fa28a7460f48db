/* SPDX-License-Identifier: MIT */
#include "daemon/method.h"
#include "daemon/probe_life.h"

static const struct param params[] = {
	{ "probe", PARAM_PROBE, true },
	{ "actions", PARAM_ARRAY, true },
	{ NULL, PARAM_END, false },
};

static void probe_actions(struct call *call)
{
	struct probe *probe = method_probe(call);

	if (probe)
		probe_life_actions(probe, call);
}

const struct method method_probe_actions = { "probe.actions", params,
					     probe_actions, GATE_ATTACHED,
					     RIGHT_CAPTURE };
