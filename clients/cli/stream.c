/* SPDX-License-Identifier: MIT */
#include "clients/cli/stream.h"

#include <stdlib.h>
#include <time.h>

#include "clients/cli/annotate.h"
#include "clients/cli/debugger.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/report.h"
#include "proto/error.h"

static struct stream_probe *find(struct stream *stream, int64_t id)
{
	for (size_t i = 0; i < stream->count; i++)
		if (stream->probes[i].id == id)
			return &stream->probes[i];
	return NULL;
}

/* Sums {"ring":1,"size":0,..} but for `rate`: what a limit of the probe left
 * out is not lost. */
static uint64_t lost_count(struct view object)
{
	struct view_walk walk = view_walk(object);
	struct view key;
	struct view value;
	uint64_t total = 0;

	while (view_next(&walk, &key, &value)) {
		int64_t n = view_int(value, 0);

		if (!view_is(key, "rate"))
			total += n > 0 ? (uint64_t)n : 0;
	}
	return total;
}

static void on_end(struct stream *stream, struct view record)
{
	struct view reason = view_member(record, "reason");
	int64_t hits = view_int(view_member(record, "hits"), 0);
	struct stream_probe *probe =
		find(stream, view_int(view_member(record, "probe"), 0));

	stream->hits += hits > 0 ? (uint64_t)hits : 0;
	stream->lost += lost_count(view_member(record, "lost"));
	stream->target_exited |= view_is(reason, "target-exit");
	stream->agent_lost |= view_is(reason, "agent-lost");
	if (probe)
		probe->ended = true;
}

static void count_record(struct stream *stream, struct view record)
{
	struct view event = view_member(record, "event");
	int64_t lost;

	if (view_is(event, "call") || view_is(event, "hit") ||
	    view_is(event, "yield")) {
		stream->captures++;
	} else if (view_is(event, "end")) {
		on_end(stream, record);
	} else if (view_is(event, "lost") &&
		   !view_is(view_member(record, "reason"), "rate")) {
		lost = view_int(view_member(record, "count"), 0);
		stream->lost_told += lost > 0 ? (uint64_t)lost : 0;
	}
}

static void show(struct stream *stream, struct view record)
{
	struct output *output = &stream->session->output;
	struct text text = TEXT_INIT;

	if (output->json) {
		output_view(output, record);
		return;
	}
	if (render_event(&text, record)) {
		report_note("%s", text_string(&text));
	} else {
		stream->render.columns = output_columns(output);
		render_record(&text, record, &stream->render);
		if (text.length > 0)
			output_text(output, text_string(&text));
	}
	text_release(&text);
}

static void on_record(void *arg, struct view record)
{
	struct stream *stream = arg;
	struct text text = TEXT_INIT;

	if (view_kind(record) != VIEW_OBJECT)
		return;
	count_record(stream, record);
	if (stream->debugger && view_is(view_member(record, "event"), "debug"))
		debugger_record(stream->debugger, record);
	if (option_given(stream->session->options, OPTION_SOURCE))
		record = annotate_record(&text, record, &stream->source);
	show(stream, record);
	text_release(&text);
}

int stream_init(struct stream *stream, struct session *session, size_t probes)
{
	const struct option_value *stack =
		&session->options->value[OPTION_STACK];

	*stream = (struct stream){ .session = session, .size = probes };
	source_init(&stream->source);
	stream->render.stack = stack->given && stack->number > 0;
	stream->probes = calloc(probes + 1, sizeof(*stream->probes));
	if (!stream->probes)
		return error_set(&session->err, ERROR_NO_MEMORY,
				 "out of memory");
	session->rpc.on_record = on_record;
	session->rpc.arg = stream;
	return 0;
}

void stream_release(struct stream *stream)
{
	stream->session->rpc.on_record = NULL;
	source_release(&stream->source);
	free(stream->probes);
	stream->probes = NULL;
	stream->count = 0;
}

void stream_expect(struct stream *stream, uint32_t probe)
{
	if (stream->count < stream->size)
		stream->probes[stream->count++].id = probe;
}

bool stream_ended(const struct stream *stream)
{
	for (size_t i = 0; i < stream->count; i++)
		if (!stream->probes[i].ended)
			return false;
	return true;
}

/* Before and after each wait, while there may be a debugger. */
static int serve_debugger(struct stream *stream)
{
	struct debugger *debugger = stream->debugger;

	if (!debugger)
		return 0;
	if (debugger_input(debugger) < 0)
		return -1;
	debugger_await(debugger);
	return 0;
}

static bool debugger_quit(const struct stream *stream)
{
	return stream->debugger && stream->debugger->quit;
}

int stream_run(struct stream *stream)
{
	struct session *session = stream->session;

	while ((stream->count == 0 || !stream_ended(stream)) &&
	       !interrupted() && !session->rpc.output_closed &&
	       !output_stopped(&session->output) && !debugger_quit(stream)) {
		error_clear(&session->err);
		if (serve_debugger(stream) < 0)
			return -1;
		if (debugger_quit(stream))
			break;
		if (rpc_wait(&session->rpc, -1, &session->err) < 0)
			return -1;
	}
	return 0;
}

int stream_drain(struct stream *stream, int timeout_ms)
{
	struct session *session = stream->session;
	struct timespec begin;
	struct timespec now;
	int left = timeout_ms;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (!stream_ended(stream) && left > 0) {
		error_clear(&session->err);
		if (rpc_wait(&session->rpc, left, &session->err) < 0)
			return -1;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = timeout_ms -
		       (int)((now.tv_sec - begin.tv_sec) * 1000 +
			     (now.tv_nsec - begin.tv_nsec) / 1000000);
	}
	return 0;
}

int stream_status(const struct stream *stream)
{
	if (stream->lost || stream->lost_told || stream->agent_lost)
		return error_exit_status(ERROR_LOST);
	if (stream->target_exited)
		return error_exit_status(ERROR_TARGET_EXIT);
	return stream->captures > 0 ? 0 : 1;
}
