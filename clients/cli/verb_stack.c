/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/annotate.h"
#include "clients/cli/argument.h"
#include "clients/cli/report.h"
#include "clients/cli/request.h"
#include "clients/cli/stack_text.h"

/* Processes of one tree; a fork bomb has more. */
#define TREE_MOST 1024

/* Sends what is printed to a file; text, unless JSON was asked for. */
static int redirect(struct session *session)
{
	const char *path = session->options->value[OPTION_OUTPUT].text;
	int fd;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
		return error_set_errno(&session->err, ERROR_USAGE, errno,
				       "--output %s", path);
	close(fd);
	session->output.json = option_given(session->options, OPTION_JSON);
	return 0;
}

/* Takes the reading's options into params. */
static cJSON *add_options(cJSON *params, const struct options *options)
{
	static const enum option_id limits[] = { OPTION_DEPTH, OPTION_ITEMS,
						 OPTION_STRING };

	if (option_given(options, OPTION_NATIVE))
		cJSON_AddStringToObject(params, "native", "all");
	else if (option_given(options, OPTION_NO_NATIVE))
		cJSON_AddStringToObject(params, "native", "none");
	if (option_given(options, OPTION_LOCALS))
		cJSON_AddTrueToObject(params, "locals");
	if (option_given(options, OPTION_STOP))
		cJSON_AddTrueToObject(params, "stop");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (option_given(options, limits[i]))
			cJSON_AddNumberToObject(
				params, option_table[limits[i]].limit,
				(double)options->value[limits[i]].number);
	request_add_redaction(params, options);
	return params;
}

static void print(struct session *session, cJSON *record)
{
	struct text text = TEXT_INIT;
	struct source source;

	if (option_given(session->options, OPTION_SOURCE)) {
		source_init(&source);
		annotate_stack(record, &source);
		source_release(&source);
	}
	if (session->output.json) {
		output_item(&session->output, record);
		return;
	}
	stack_text_render(&text, record);
	output_text(&session->output, text_string(&text));
	text_release(&text);
}

/* A process of a tree that cannot be read is told, and passed over. */
static int show(struct session *session, int pid, cJSON **ret_record)
{
	cJSON *record = NULL;

	if (session_call(
		    session, "stack",
		    add_options(params_number("pid", pid), session->options),
		    &record) < 0)
		return -1;
	print(session, record);
	*ret_record = record;
	return 0;
}

/* Breadth first; a process that is met again (its id came into use anew) is
 * not followed. */
static int show_tree(struct session *session, int first)
{
	static int queue[TREE_MOST];
	int count = 1, shown = 0;

	queue[0] = first;
	for (int i = 0; i < count && !output_stopped(&session->output); i++) {
		const cJSON *child;
		cJSON *record = NULL;

		if (show(session, queue[i], &record) < 0) {
			if (i == 0)
				return session_failed(session);
			report_note("%s", session->err.msg);
			continue;
		}
		shown++;
		cJSON_ArrayForEach(child, member(record, "children"))
		{
			if (count < TREE_MOST && cJSON_IsNumber(child))
				queue[count++] = child->valueint;
		}
		cJSON_Delete(record);
		if (!session->output.json && i + 1 < count)
			output_line(&session->output, "");
	}
	return session_finish(session, shown ? 0 : 1);
}

/* The daemon has another folder to start from than we. */
static int absolute(struct session *session, const char *path, char *ret_path)
{
	if (realpath(path, ret_path))
		return 0;
	error_set_errno(&session->err, ERROR_NO_PROCESS, errno, "%.100s", path);
	return error_remedy(&session->err, "give a process id, or a core file");
}

static int show_core(struct session *session, const char *name)
{
	const char *root = session->options->value[OPTION_ROOT].text;
	char path[PATH_MAX], folder[PATH_MAX];
	cJSON *params, *record = NULL;

	if (option_given(session->options, OPTION_TREE) ||
	    option_given(session->options, OPTION_STOP))
		return session_usage("stack", "--tree and --stop are for "
					      "processes that live");
	if (absolute(session, name, path) < 0 ||
	    (root && absolute(session, root, folder) < 0) ||
	    session_open(session) < 0 || redirect(session) < 0)
		return session_failed(session);
	params = cJSON_CreateObject();
	cJSON_AddStringToObject(params, "core", path);
	if (root)
		cJSON_AddStringToObject(params, "root", folder);
	if (session_call(session, "stack",
			 add_options(params, session->options), &record) < 0)
		return session_failed(session);
	print(session, record);
	cJSON_Delete(record);
	return session_finish(session, 0);
}

static bool is_number(const char *text)
{
	return text[0] && text[strspn(text, "0123456789")] == '\0';
}

static int run(struct session *session, int argc, char **argv)
{
	cJSON *record = NULL;
	int pid;

	if (option_given(session->options, OPTION_NATIVE) &&
	    option_given(session->options, OPTION_NO_NATIVE))
		return session_usage("stack",
				     "--native and --no-native exclude each "
				     "other");
	if (!is_number(argv[1]))
		return show_core(session, argv[1]);
	if (option_given(session->options, OPTION_ROOT))
		return session_usage("stack", "--root goes with a core file");
	if (argument_pid(argv[1], &pid, &session->err) < 0)
		return session_failed(session);
	if (session_open(session) < 0 || redirect(session) < 0)
		return session_failed(session);
	if (option_given(session->options, OPTION_TREE))
		return show_tree(session, pid);
	if (show(session, pid, &record) < 0)
		return session_failed(session);
	cJSON_Delete(record);
	return session_finish(session, 0);
}

const struct verb verb_stack = {
	.name = "stack",
	.arguments = "PID|CORE",
	.summary = "what every thread is doing, read from outside",
	.text = "Python and native frames of all threads, outermost first. "
		"Nothing is put into\n"
		"the process and, without --native and --stop, nothing in it "
		"is stopped: threads\n"
		"that run then show their Python frames alone.\n"
		"A core file tells the same of a process that is no more.\n",
	.groups = GROUP_GLOBAL | GROUP_SOURCE | GROUP_VALUES | GROUP_STACK,
	.least = 1,
	.most = 1,
	.run = run,
};
