/* SPDX-License-Identifier: MIT */
#include "daemon/method.h"
#include "daemon/target.h"

static const struct param params[] = {
	{ "pid", PARAM_PID, false },
	{ "target", PARAM_STRING, false },
	{ "force", PARAM_BOOL, false },
	{ NULL, PARAM_END, false },
};

static void detach(struct call *call)
{
	struct target *target = method_target(call);

	if (target)
		target_detach(target, call,
			      params_bool(call->request.params, "force"));
}

const struct method method_detach = { "detach", params, detach, GATE_ATTACHED,
				      RIGHTS_ENTER };
