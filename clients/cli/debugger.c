/* SPDX-License-Identifier: MIT */
#include "clients/cli/debugger.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/report.h"

void debugger_init(struct debugger *debugger, struct session *session)
{
	memset(debugger, 0, sizeof(*debugger));
	debugger->session = session;
}

void debugger_release(struct debugger *debugger)
{
	for (size_t i = 0; i < debugger->count; i++)
		text_release(&debugger->stop[i].held);
	debugger->count = 0;
	debugger->session->rpc.input_fd = -1;
}

static struct debugger_stop *find(struct debugger *debugger, struct view record)
{
	int64_t probe = view_int(view_member(record, "probe"), 0);
	int64_t session = view_int(view_member(record, "session"), 0);

	for (size_t i = 0; i < debugger->count; i++)
		if (debugger->stop[i].probe == probe &&
		    debugger->stop[i].session == session)
			return &debugger->stop[i];
	return NULL;
}

static void add_stop(struct debugger *debugger, struct view record)
{
	struct debugger_stop *stop = &debugger->stop[debugger->count];

	/* As many as the daemon has in one process. */
	if (debugger->count == LIMIT_DEBUGGED)
		return;
	*stop = (struct debugger_stop){
		.probe = (uint32_t)view_int(view_member(record, "probe"), 0),
		.session =
			(uint32_t)view_int(view_member(record, "session"), 0),
	};
	if (debugger->count++ > 0)
		report_note("another thread stops: it waits for its turn");
}

/* The text of a debugger: lines and tabs stay, what else could move the cursor
 * becomes visible. */
static void add_output(struct text *text, struct debugger_stop *stop,
		       struct view output)
{
	struct view_chars chars = view_chars(output);
	uint32_t c;

	while (view_char(&chars, &c)) {
		memmove(stop->tail, stop->tail + 1, sizeof(stop->tail) - 2);
		stop->tail[sizeof(stop->tail) - 2] = c < 0x80 ? (char)c : '?';
		if (c == '\n')
			text_add(text, "\n");
		else if (c == '\t')
			text_add(text, "\t");
		else
			text_add_char(text, c, 0);
	}
}

static void show(struct debugger *debugger, struct debugger_stop *stop)
{
	if (!debugger->session->output.json)
		output_text(&debugger->session->output,
			    text_string(&stop->held));
	text_rewind(&stop->held, 0);
}

static void take_output(struct debugger *debugger, struct view record)
{
	struct debugger_stop *stop = find(debugger, record);

	if (!stop)
		return;
	add_output(&stop->held, stop, view_member(record, "text"));
	if (stop == debugger->stop)
		show(debugger, stop);
}

static void drop_stop(struct debugger *debugger, struct view record)
{
	struct debugger_stop *stop = find(debugger, record);
	struct view reason = view_member(record, "reason");
	bool first = stop == debugger->stop;

	if (!stop)
		return;
	if (view_is(reason, "time-out"))
		report_note("the debugger's time is up: the program goes on");
	else if (view_is(reason, "slow-client") || view_is(reason, "lost"))
		report_note("the debugger ended: the program goes on");
	debugger->quit |= view_is(reason, "quit");
	text_release(&stop->held);
	debugger->count--;
	memmove(stop, stop + 1,
		(size_t)(debugger->stop + debugger->count - stop) *
			sizeof(*stop));
	if (first && debugger->count > 0)
		show(debugger, debugger->stop);
}

void debugger_record(struct debugger *debugger, struct view record)
{
	struct view state = view_member(record, "state");

	if (view_is(state, "open"))
		add_stop(debugger, record);
	else if (view_is(state, "output"))
		take_output(debugger, record);
	else if (view_is(state, "closed"))
		drop_stop(debugger, record);
}

/* Does pdb wait for a line? */
static bool asked(const struct debugger *debugger)
{
	return debugger->count > 0 &&
	       !strcmp(debugger->stop[0].tail, DEBUGGER_PROMPT);
}

void debugger_await(struct debugger *debugger)
{
	struct rpc *rpc = &debugger->session->rpc;

	rpc->input_fd =
		asked(debugger) && !debugger->input_ended ? STDIN_FILENO : -1;
	rpc->input_ready = false;
}

/* Sends a line, or with NULL the end. That the session ended meanwhile is no
 * failure. */
static int send_line(struct debugger *debugger, const char *line)
{
	struct debugger_stop *stop = &debugger->stop[0];
	struct session *session = debugger->session;
	cJSON *params = params_number("probe", stop->probe);

	cJSON_AddNumberToObject(params, "session", stop->session);
	if (line)
		cJSON_AddStringToObject(params, "text", line);
	memset(stop->tail, 0, sizeof(stop->tail));
	if (session_call(session, "debug.input", params, NULL) == 0)
		return 0;
	if (session->err.code == ERROR_NO_PROBE ||
	    session->err.code == ERROR_LIMIT) {
		error_clear(&session->err);
		session->rpc.status = 0;
		return 0;
	}
	return -1;
}

/* Takes one line off what was read; a full buffer counts as one. */
static bool take_line(struct debugger *debugger, char *line)
{
	char *end = memchr(debugger->line, '\n', debugger->used);
	size_t length = end ? (size_t)(end - debugger->line) : debugger->used;
	size_t taken = end ? length + 1 : length;

	if (!end && (debugger->used < sizeof(debugger->line) - 1 &&
		     !(debugger->input_ended && debugger->used > 0)))
		return false;
	memcpy(line, debugger->line, length);
	line[length] = '\0';
	debugger->used -= taken;
	memmove(debugger->line, debugger->line + taken, debugger->used);
	return true;
}

static void read_input(struct debugger *debugger)
{
	ssize_t n = read(STDIN_FILENO, debugger->line + debugger->used,
			 sizeof(debugger->line) - 1 - debugger->used);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		debugger->input_ended = true;
	else
		debugger->used += (size_t)n;
}

int debugger_input(struct debugger *debugger)
{
	char line[LIMIT_DEBUG];

	if (!asked(debugger))
		return 0;
	if (debugger->session->rpc.input_ready)
		read_input(debugger);
	debugger->session->rpc.input_ready = false;
	if (take_line(debugger, line))
		return send_line(debugger, line);
	return debugger->input_ended ? send_line(debugger, NULL) : 0;
}
