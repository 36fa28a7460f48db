/* SPDX-License-Identifier: MIT */
#include "daemon/method.h"
#include "daemon/probe_life.h"

static const struct param params[] = {
	{ "probe", PARAM_PROBE, true },
	{ NULL, PARAM_END, false },
};

static void probe_enable(struct call *call)
{
	struct probe *probe = method_probe(call);

	if (probe)
		probe_life_switch(probe, call, true);
}

static void probe_disable(struct call *call)
{
	struct probe *probe = method_probe(call);

	if (probe)
		probe_life_switch(probe, call, false);
}

const struct method method_probe_enable = { "probe.enable", params,
					    probe_enable, GATE_ATTACHED,
					    RIGHT_CAPTURE };
const struct method method_probe_disable = { "probe.disable", params,
					     probe_disable, GATE_ATTACHED,
					     RIGHT_CAPTURE };
