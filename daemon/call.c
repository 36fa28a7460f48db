/* SPDX-License-Identifier: MIT */
#include "daemon/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access.h"
#include "daemon/audit.h"
#include "daemon/daemon.h"
#include "daemon/session.h"

/* What a node of a parsed request takes, with what the heap adds. */
#define A_VALUE 96

struct call *call_new(struct session *session, struct rpc_request *request,
		      size_t length, struct error *err)
{
	struct budget *budget = &session->daemon->budget;
	size_t size = sizeof(struct call) + length + request->values * A_VALUE;
	struct call *call = NULL;

	if (!budget_fits(budget, session->call_count * size, size))
		error_set(err, ERROR_LIMIT, "too many requests wait");
	else if (!(call = calloc(1, sizeof(*call))))
		error_set(err, ERROR_NO_MEMORY, "no memory for a request");
	if (!call) {
		rpc_request_release(request);
		error_remedy(err, "try again");
		return NULL;
	}
	call->daemon = session->daemon;
	call->session = session;
	call->request = *request;
	call->size = size;
	budget_take(budget, size);
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
	budget_give(&call->daemon->budget, call->size);
	access_free(call->access);
	free(call);
}

static void send_failure(struct call *call, const struct error *error)
{
	char line[RPC_FAILURE_MAX];

	session_send(call->session, line,
		     rpc_failure(call->request.id, error, line));
}

/* Says so when an answer could not be rendered, or has no room now. */
static void send_answer(struct call *call, const char *line, size_t length)
{
	struct error err = ERROR_INIT;

	if (line && budget_fits(&call->daemon->budget,
				outbox_size(&call->session->out), length)) {
		session_send(call->session, line, length);
		return;
	}
	if (line)
		error_set(&err, ERROR_LIMIT,
			  "no room for an answer of %zu "
			  "bytes now",
			  length);
	else
		error_set(&err, ERROR_LIMIT,
			  "the answer is too large, or memory is short");
	error_remedy(&err, "ask for less, or try again");
	send_failure(call, &err);
}

int call_open_process(const struct call *call, pid_t pid,
		      struct process_id *ret_id, struct error *err)
{
	struct process_id id;

	if (!call->access)
		return process_open(pid, ret_id, err);
	id = call->access->id;
	id.pidfd = fcntl(id.pidfd, F_DUPFD_CLOEXEC, 0);
	if (id.pidfd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "a pidfd");
	*ret_id = id;
	return 0;
}

void call_answer(struct call *call, rpc_render *render, const void *arg)
{
	size_t length = 0;
	char *line;

	audit_call(call, NULL);
	if (call->session) {
		line = rpc_result(call->request.id, render, arg, &length);
		send_answer(call, line, length);
		free(line);
	}
	call_free(call);
}

void call_fail(struct call *call, const struct error *error)
{
	counters_failure(&call->daemon->counters, error->code);
	if (!strcmp(call->request.method, "attach"))
		counters_not_attached(&call->daemon->counters, error->code);
	audit_call(call, error);
	if (call->session)
		send_failure(call, error);
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
