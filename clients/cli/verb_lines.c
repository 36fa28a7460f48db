/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include <stdio.h>

#include "clients/cli/argument.h"
#include "clients/cli/report.h"
#include "clients/cli/request.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

/* "12-15, 17" */
static void add_ranges(struct text *text, const cJSON *lines)
{
	const cJSON *line;
	int first = 0;
	int last = 0;

	cJSON_ArrayForEach(line, lines)
	{
		if (first && line->valueint == last + 1) {
			last++;
			continue;
		}
		if (last > first)
			text_addf(text, "-%d", last);
		first = last = line->valueint;
		text_addf(text, "%s%d", text->length ? ", " : "", first);
	}
	if (last > first)
		text_addf(text, "-%d", last);
}

static void print(const cJSON *locations, struct output *output)
{
	static const char *const titles[] = { "FUNCTION", "DEFINED", "LINES" };
	static const char *const stops_titles[] = { "FUNCTION", "DEFINED",
						    "STOPS AT" };
	bool stops = member(cJSON_GetArrayItem(locations, 0), "stops");
	struct table table;
	const cJSON *l;

	table_init(&table, 3, stops ? stops_titles : titles);
	cJSON_ArrayForEach(l, locations)
	{
		struct text defined = TEXT_INIT;
		struct text lines = TEXT_INIT;

		text_addf(&defined, "%s:%.0f", member_text(l, "file"),
			  member_number(l, "line"));
		add_ranges(&lines, member(l, stops ? "stops" : "lines"));
		table_cell(&table, member_text(l, "function"));
		table_cell(&table, text_string(&defined));
		table_cell(&table, text_string(&lines));
		text_release(&defined);
		text_release(&lines);
	}
	table_print(&table, output);
	table_release(&table);
}

/* Why there is nothing. */
static void note_none(const cJSON *nearest)
{
	struct text lines = TEXT_INIT;

	add_ranges(&lines, nearest);
	if (!nearest)
		report_note("nothing matches yet: a probe would be pending");
	else if (lines.length > 0)
		report_note("no code on that line; the nearest lines with "
			    "code: %s",
			    text_string(&lines));
	else
		report_note("no line with code there is like that");
	text_release(&lines);
}

static int show(struct session *session, const cJSON *result)
{
	const cJSON *locations = member(result, "locations");
	int count = cJSON_GetArraySize(locations);

	if (session->output.json)
		output_items(&session->output, locations);
	else if (count > 0)
		print(locations, &session->output);
	if (count == 0)
		note_none(member(result, "nearest"));
	if (cJSON_IsTrue(member(result, "truncated")))
		report_note("there are more: name the place more closely");
	return count > 0 ? 0 : 1;
}

/* Attaches, asks, and lets go again. */
static int ask(struct session *session, int pid, const char *where)
{
	cJSON *params = params_number("pid", pid);
	cJSON *result = NULL;
	struct error err = ERROR_INIT;
	int status;

	request_add_location(params, session->options, where);
	request_add_line(params, session->options);
	status = session_call(session, "lines", params, &result) < 0
			 ? session_failed(session)
			 : show(session, result);
	cJSON_Delete(result);
	/* What matters was said; the daemon lets go when we are gone. */
	(void)!rpc_call(&session->rpc, "detach", params_number("pid", pid),
			NULL, &err);
	return session_finish(session, status);
}

static int run(struct session *session, int argc, char **argv)
{
	const char *where = argc > 2 ? argv[2] : NULL;
	int pid;

	if (argument_pid(argv[1], &pid, &session->err) < 0)
		return session_failed(session);
	if (!where && !request_has_location(session->options))
		return session_usage("lines", "WHERE is missing");
	if (request_check_location(session->options, where, true,
				   &session->err) < 0)
		return session_failed(session);
	if (session_open(session) < 0 ||
	    session_call(session, "attach", params_number("pid", pid), NULL) <
		    0)
		return session_failed(session);
	return ask(session, pid, where);
}

const struct verb verb_lines = {
	.name = "lines",
	.arguments = "PID WHERE",
	.summary = "what a location resolves to; no probe is set",
	.text = "Prints each function, where it is defined, and the lines that "
		"carry code.\n"
		"With file.py:120 or --line, where a breakpoint would stop, or "
		"the nearest lines\n"
		"that have code.\n"
		"Exit status 1 when nothing matches yet.\n",
	.groups = GROUP_GLOBAL | GROUP_WHERE | GROUP_LINE,
	.least = 1,
	.most = 2,
	.run = run,
};
