/* SPDX-License-Identifier: MIT */
#include "daemon/method.h"
#include "daemon/probe_life.h"

static const struct param params[] = {
	{ "probe", PARAM_PROBE, true },
	{ NULL, PARAM_END, false },
};

static void probe_remove(struct call *call)
{
	struct probe *probe = method_probe(call);

	if (probe)
		probe_life_remove(probe, call);
}

const struct method method_probe_remove = { "probe.remove", params,
					    probe_remove, GATE_ATTACHED,
					    RIGHT_CAPTURE };
