/* SPDX-License-Identifier: MIT */
#include "daemon/method.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/session.h"
#include "daemon/target.h"

/* Requests of one client that may wait at a time. */
#define CALLS_MAX 256

static const struct method *const methods[] = {
	&method_attach,	      &method_detach,
	&method_doctor,	      &method_eval,
	&method_exec,	      &method_hello,
	&method_lines,	      &method_probe_actions,
	&method_probe_add,    &method_probe_disable,
	&method_probe_enable, &method_probe_list,
	&method_probe_remove, &method_ps,
	&method_shutdown,     &method_stack,
	&method_stats,	      &method_subscribe,
	&method_targets,      &method_debug_input,
};

static const struct method *find(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		if (!strcmp(methods[i]->name, name))
			return methods[i];
	}
	return NULL;
}

static void refuse(struct session *session, const char *id,
		   const struct error *err)
{
	char line[RPC_FAILURE_MAX];

	counters_failure(&session->daemon->counters, err->code);
	session_send(session, line, rpc_failure(id, err, line));
}

static int check_request(const struct session *session,
			 const struct rpc_request *request,
			 const struct method *method, struct error *err)
{
	if (!method)
		return error_set(err, ERROR_METHOD, "no method '%s'",
				 request->method);
	if (session->call_count >= CALLS_MAX)
		return error_set(err, ERROR_LIMIT,
				 "more than %d requests at a time", CALLS_MAX);
	if (params_check(request->params, method->params, err))
		return error_wrap(err, "%s", method->name);
	return 0;
}

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (line[i] != ' ' && line[i] != '\t')
			return false;
	}
	return true;
}

void method_dispatch(struct session *session, const char *line, size_t length)
{
	struct error err = ERROR_INIT;
	struct rpc_request request;
	const struct method *method;
	struct call *call;

	if (is_blank(line, length))
		return;
	if (rpc_parse(line, length, &request, &err)) {
		refuse(session, request.id, &err);
		return;
	}
	method = find(request.method);
	if (check_request(session, &request, method, &err)) {
		refuse(session, request.id, &err);
		rpc_request_release(&request);
		return;
	}
	call = call_new(session, &request, length, &err);
	if (call)
		gate_pass(call, method);
	else
		refuse(session, request.id, &err);
}

/* ---- what parameters name
 * ------------------------------------------------------- */

int method_not_attached(const cJSON *params, struct error *err)
{
	const char *name = params_string(params, "target");
	uint64_t pid = 0;

	if (params_uint(params, "pid", &pid))
		error_set(err, ERROR_NOT_ATTACHED, "pid %d is not attached",
			  (int)pid);
	else
		error_set(err, ERROR_NOT_ATTACHED, "no target '%.40s'", name);
	return error_remedy(err, "attach first");
}

struct target *method_target(struct call *call)
{
	const cJSON *params = call->request.params;
	const char *name = params_string(params, "target");
	struct error err = ERROR_INIT;
	struct target *target = NULL;
	uint64_t pid = 0;
	bool has_pid = params_uint(params, "pid", &pid);

	if (has_pid == (name != NULL)) {
		error_set(&err, ERROR_PARAMS,
			  "give either 'pid' or 'target' to name a process");
		call_fail(call, &err);
		return NULL;
	}
	target = has_pid ? target_find_pid(call->daemon, (pid_t)pid)
			 : target_find(call->daemon, name);
	if (target)
		return target;
	method_not_attached(params, &err);
	call_fail(call, &err);
	return NULL;
}

struct target *method_live_target(struct call *call)
{
	struct target *target = method_target(call);
	struct error err = ERROR_INIT;

	if (!target || target->state == TARGET_LIVE)
		return target;
	method_not_attached(call->request.params, &err);
	call_fail(call, &err);
	return NULL;
}

int method_no_probe(uint32_t id, struct error *err)
{
	error_set(err, ERROR_NO_PROBE, "no probe %u", (unsigned)id);
	return error_remedy(err, "list the probes that are set");
}

struct probe *method_probe(struct call *call)
{
	struct error err = ERROR_INIT;
	struct probe *probe;
	uint64_t id = 0;

	params_uint(call->request.params, "probe", &id);
	probe = registry_find(&call->daemon->registry, (uint32_t)id);
	if (probe)
		return probe;
	method_no_probe((uint32_t)id, &err);
	call_fail(call, &err);
	return NULL;
}
