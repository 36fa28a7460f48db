/* SPDX-License-Identifier: MIT */
#include "daemon/method.h"
#include "daemon/target.h"

static const struct param params[] = {
	{ "pid", PARAM_PID, true },
	{ "detach_on_exit", PARAM_BOOL, false },
	{ NULL, PARAM_END, false },
};

static void attach(struct call *call)
{
	uint64_t pid = 0;

	params_uint(call->request.params, "pid", &pid);
	target_attach(call->daemon, call, (pid_t)pid);
}

const struct method method_attach = { "attach", params, attach, GATE_PROCESS,
				      RIGHTS_ENTER };
