/* SPDX-License-Identifier: MIT */
#include "daemon/daemon.h"
#include "daemon/method.h"

static const struct param params[] = {
	{ NULL, PARAM_END, false },
};

static void render(struct json_writer *w, const void *arg)
{
	json_key(w, "stopping");
	json_bool(w, true);
}

static void stop(struct call *call)
{
	struct daemon *daemon = call->daemon;

	call_answer(call, render, NULL);
	daemon_stop(daemon, "a client asked for it");
}

const struct method method_shutdown = { "shutdown", params, stop, GATE_OPERATOR,
					RIGHTS_NONE };
