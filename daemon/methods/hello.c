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
	json_key(w, "protocol_oldest");
	json_int(w, NOPDB_PROTOCOL_OLDEST);
	json_key(w, "pid");
	json_int(w, getpid());
	json_key(w, "uid");
	json_uint(w, geteuid());
}

/* Which of the two has to be brought up to date, and how. */
static void refuse(struct call *call, unsigned long long protocol)
{
	struct error err = ERROR_INIT;

	if (protocol > NOPDB_PROTOCOL) {
		error_set(&err, ERROR_PROTOCOL,
			  "protocol %llu is too new: this daemon (%s) speaks "
			  "%d to %d",
			  protocol, NOPDB_VERSION, NOPDB_PROTOCOL_OLDEST,
			  NOPDB_PROTOCOL);
		error_remedy(&err,
			     "when nobody needs it any more, end it (kill %d); "
			     "the client then starts its own",
			     (int)getpid());
	} else {
		error_set(&err, ERROR_PROTOCOL,
			  "protocol %llu is too old: this daemon (%s) speaks "
			  "%d to %d",
			  protocol, NOPDB_VERSION, NOPDB_PROTOCOL_OLDEST,
			  NOPDB_PROTOCOL);
		error_remedy(&err, "use a client of version %s", NOPDB_VERSION);
	}
	call_fail(call, &err);
}

static void hello(struct call *call)
{
	uint64_t protocol = NOPDB_PROTOCOL;

	params_uint(call->request.params, "protocol", &protocol);
	if (protocol < NOPDB_PROTOCOL_OLDEST || protocol > NOPDB_PROTOCOL)
		refuse(call, protocol);
	else
		call_answer(call, render, NULL);
}

const struct method method_hello = { "hello", params, hello, GATE_OPEN,
				     RIGHTS_NONE };
