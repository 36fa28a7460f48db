/* SPDX-License-Identifier: MIT */
#include "clients/cli/evaluate.h"

#include "clients/cli/argument.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/report.h"
#include "clients/cli/request.h"
#include "clients/cli/text.h"
#include "clients/cli/value.h"

/* Its printed text, line by line: foreign text has no line ends of its own. */
static void add_printed(struct text *text, struct view printed)
{
	struct view_chars chars = view_chars(printed);
	uint32_t c;
	bool open = false;

	while (view_char(&chars, &c)) {
		open = c != '\n';
		if (open)
			text_add_char(text, c, 0);
		else
			text_add(text, "\n");
	}
	if (open)
		text_add(text, "\n");
}

static void add_error(struct text *text, struct view error)
{
	value_render_plain(text, view_member(error, "type"));
	text_add(text, ": ");
	value_render_plain(text, view_member(error, "message"));
}

/* A value, as Python's prompt shows one: None not at all. */
static void show(struct session *session, struct view record)
{
	struct view value = view_member(record, "value");
	struct text text = TEXT_INIT;

	add_printed(&text, view_member(record, "stdout"));
	if (view_kind(value) != VIEW_NONE && view_kind(value) != VIEW_NULL) {
		value_render(&text, value);
		text_add(&text, "\n");
	}
	if (text.length > 0)
		output_text(&session->output, text_string(&text));
	text_release(&text);
}

static void on_result(void *arg, struct view record)
{
	struct session *session = arg;
	struct view error = view_member(record, "error");
	struct text text = TEXT_INIT;

	if (session->output.json)
		output_view(&session->output, record);
	else
		show(session, record);
	if (view_kind(error) == VIEW_OBJECT) {
		add_error(&text, error);
		if (!session->output.json)
			report_note("%s", text_string(&text));
		session->rpc.status = 1;
	}
	if (view_true(view_member(record, "stdout_truncated")))
		report_note("it printed more than is shown");
	text_release(&text);
}

static uint64_t time_ns(const struct options *options)
{
	enum option_id id = option_given(options, OPTION_TIMEOUT)
				    ? OPTION_TIMEOUT
				    : OPTION_TIME;

	return options->value[id].number;
}

static int add_time(cJSON *params, struct session *session)
{
	const struct options *options = session->options;
	uint64_t most = (uint64_t)LIMIT_EVALUATION_MS * 1000000;
	uint64_t ns = time_ns(options);

	if (!option_given(options, OPTION_TIMEOUT) &&
	    !option_given(options, OPTION_TIME))
		return 0;
	if (option_given(options, OPTION_TIMEOUT) &&
	    option_given(options, OPTION_TIME))
		return error_set(&session->err, ERROR_USAGE,
				 "--time and --timeout are the same: give "
				 "one");
	if (ns == 0 || ns > most)
		return error_set(&session->err, ERROR_USAGE,
				 "--timeout: more than 0, at most 1h");
	ns = (ns + 999999) / 1000000;
	cJSON_AddNumberToObject(params, "time_ms", (double)ns);
	session->rpc.more_ms = (int)ns;
	return 0;
}

/* The params; NULL with USAGE. */
static cJSON *build(struct session *session, int pid, const char *member_name,
		    const char *text)
{
	const struct options *options = session->options;
	cJSON *params = params_number("pid", pid);

	cJSON_AddStringToObject(params, member_name, text);
	if (option_given(options, OPTION_MODULE))
		cJSON_AddStringToObject(params, "module",
					options->value[OPTION_MODULE].text);
	if (option_given(options, OPTION_STDOUT))
		cJSON_AddTrueToObject(params, "stdout");
	request_add_limits(params, options);
	if (add_time(params, session) == 0)
		return params;
	cJSON_Delete(params);
	return NULL;
}

/* Asks, shows the answer, and lets go again. */
static int ask(struct session *session, const char *method, int pid,
	       cJSON *params)
{
	struct error err = ERROR_INIT;
	int status;

	session->rpc.on_result = on_result;
	session->rpc.arg = session;
	session->rpc.hasty = true;
	status = session_call(session, method, params, NULL);
	session->rpc.on_result = NULL;
	if (status < 0 && interrupted()) {
		report_note("interrupted");
		return 1; /* the daemon lets go when we are gone */
	}
	status = status < 0 ? session_failed(session) : session->rpc.status;
	(void)!rpc_call(&session->rpc, "detach", params_number("pid", pid),
			NULL, &err);
	return session_finish(session, status);
}

int evaluate(struct session *session, const char *method,
	     const char *member_name, const char *pid_text, const char *text)
{
	cJSON *params;
	int pid;

	if (argument_pid(pid_text, &pid, &session->err) < 0)
		return session_failed(session);
	params = build(session, pid, member_name, text);
	if (!params)
		return session_failed(session);
	if (session_open(session) < 0 ||
	    session_call(session, "attach", params_number("pid", pid), NULL) <
		    0) {
		cJSON_Delete(params);
		return session_failed(session);
	}
	return ask(session, method, pid, params);
}
