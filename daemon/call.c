/* SPDX-License-Identifier: MIT */
#include "daemon/call.h"

#include <stdlib.h>

#include "daemon/access.h"
#include "daemon/audit.h"
#include "daemon/daemon.h"
#include "daemon/session.h"

struct call *call_new(struct session *session, struct rpc_request *request)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call) {
		rpc_request_release(request);
		return NULL;
	}
	call->daemon = session->daemon;
	call->session = session;
	call->request = *request;
	call->client =
		(struct call_client){ session->peer.pid, session->peer.uid,
				      session->peer.gid };
	session_add_call(session, call);
	return call;
}

static void call_free(struct call *call)
{
	if (call->session)
		session_remove_call(call->session, call);
	rpc_request_release(&call->request);
	access_free(call->access);
	free(call);
}

/* Sends a line that was rendered, or says that it could not be. */
static void send_line(struct call *call, char *line, size_t length)
{
	struct error err = ERROR_INIT;

	if (!line) {
		error_set(&err, ERROR_LIMIT, "the answer is too large");
		line = rpc_failure(call->request.id, &err, &length);
	}
	if (line)
		session_send(call->session, line, length);
	else
		session_close(call->session);
	free(line);
}

void call_answer(struct call *call, rpc_render *render, const void *arg)
{
	size_t length = 0;
	char *line;

	audit_call(call, NULL);
	if (call->session) {
		line = rpc_result(call->request.id, render, arg, &length);
		send_line(call, line, length);
	}
	call_free(call);
}

void call_fail(struct call *call, const struct error *error)
{
	size_t length = 0;
	char *line;

	counters_failure(&call->daemon->counters, error->code);
	audit_call(call, error);
	if (call->session) {
		line = rpc_failure(call->request.id, error, &length);
		send_line(call, line, length);
	}
	call_free(call);
}

void call_fail_all(struct call_list *calls, const struct error *error)
{
	struct call *call;

	while ((call = TAILQ_FIRST(calls))) {
		TAILQ_REMOVE(calls, call, waiting);
		call_fail(call, error);
	}
}

void call_orphan(struct call *call)
{
	call->session = NULL;
}
