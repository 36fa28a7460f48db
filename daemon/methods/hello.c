/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/method.h"

static const struct param params[] = {
	{ "client", PARAM_STRING, false },
	{ "protocol", PARAM_COUNT, false },
	{ NULL, PARAM_END, false },
};

static void render(struct json_writer *w, const void *arg)
{
	json_key(w, "server");
	json_string(w, "nopdbd");
	json_key(w, "version");
	json_string(w, NOPDB_VERSION);
	json_key(w, "protocol");
	json_int(w, NOPDB_PROTOCOL);
	json_key(w, "pid");
	json_int(w, getpid());
	json_key(w, "uid");
	json_uint(w, geteuid());
}

static void hello(struct call *call)
{
	struct error err = ERROR_INIT;
	uint64_t protocol = NOPDB_PROTOCOL;

	params_uint(call->request.params, "protocol", &protocol);
	if (protocol == NOPDB_PROTOCOL) {
		call_answer(call, render, NULL);
		return;
	}
	error_set(&err, ERROR_PARAMS,
		  "hello: protocol %llu is not supported, only %d",
		  (unsigned long long)protocol, NOPDB_PROTOCOL);
	error_remedy(&err, "end the daemon (nopdb of its version: shutdown) "
			   "and start one of the client's version");
	call_fail(call, &err);
}

const struct method method_hello = { "hello", params, hello, GATE_OPEN,
				     RIGHTS_NONE };
