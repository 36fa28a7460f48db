/* SPDX-License-Identifier: MIT */
#include "clients/cli/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/connection.h"
#include "clients/cli/report.h"
#include "proto/limits.h"

void session_init(struct session *session, const struct options *options)
{
	memset(session, 0, sizeof(*session));
	session->options = options;
	output_init(&session->output, option_given(options, OPTION_JSON));
	rpc_init(&session->rpc, -1);
}

void session_release(struct session *session)
{
	rpc_release(&session->rpc);
}

static int greet(struct session *session)
{
	cJSON *params = params_number("protocol", NOPDB_PROTOCOL);

	cJSON_AddStringToObject(params, "client", "nopdb " NOPDB_VERSION);
	return session_call(session, "hello", params, NULL);
}

int session_open(struct session *session)
{
	const char *path = session->options->value[OPTION_SOCKET].text;
	int fd;

	error_clear(&session->err);
	if (connection_open(path, &fd, &session->err) < 0)
		return -1;
	rpc_init(&session->rpc, fd);
	session->rpc.output_fd = output_pipe();
	return greet(session);
}

int session_call(struct session *session, const char *method, cJSON *params,
		 cJSON **ret_result)
{
	error_clear(&session->err);
	return rpc_call(&session->rpc, method, params, ret_result,
			&session->err);
}

int session_failed(struct session *session)
{
	int status = report_error(&session->err);

	return session->rpc.status ? session->rpc.status : status;
}

int session_usage(const char *verb, const char *format, ...)
{
	struct error err = ERROR_INIT;
	char message[160];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	error_set(&err, ERROR_USAGE, "%s: %s", verb, message);
	error_remedy(&err, "see nopdb help %s", verb);
	return report_error(&err);
}

int session_finish(struct session *session, int status)
{
	struct error err = ERROR_INIT;

	if (!session->output.failed)
		return status;
	error_set_errno(&err, ERROR_SYSTEM, session->output.failed,
			"writing to stdout");
	return report_error(&err);
}

cJSON *params_number(const char *name, double number)
{
	cJSON *params = cJSON_CreateObject();

	cJSON_AddNumberToObject(params, name, number);
	return params;
}

const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *member_text(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(member(object, name));

	return text ? text : "";
}

double member_number(const cJSON *object, const char *name)
{
	const cJSON *item = member(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}
