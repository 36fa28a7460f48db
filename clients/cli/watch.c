/* SPDX-License-Identifier: MIT */
#include "clients/cli/watch.h"

#include <inttypes.h>
#include <unistd.h>

#include "clients/cli/argument.h"
#include "clients/cli/debugger.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/probe_file.h"
#include "clients/cli/report.h"
#include "clients/cli/request.h"
#include "clients/cli/stream.h"

/* For the last records of probes that were removed. */
#define DRAIN_MS 5000

/* What is watched: a process and places in it. */
struct watch {
	const struct verb *verb; /* its name is the kind of the probes */
	int pid;
	char **where;
	int count; /* 0: the options alone say where */
	bool persist;
	cJSON *script;	     /* what a breakpoint does; owned, or NULL */
	const char *file;    /* its name */
	const cJSON *probes; /* of it; NULL: WHERE and options */
};

static const char *watch_where(const struct watch *watch, int i)
{
	return watch->count > 0 ? watch->where[i] : NULL;
}

/* One probe for each WHERE, or one for the options. */
static int watch_probes(const struct watch *watch)
{
	if (watch->probes)
		return cJSON_GetArraySize(watch->probes);
	return watch->count > 0 ? watch->count : 1;
}

static int check(const struct watch *watch, struct session *session)
{
	if (request_check_debug(session->options, &session->err) < 0 ||
	    request_check_limits(session->options, &session->err) < 0)
		return -1;
	for (int i = 0; i < watch_probes(watch); i++)
		if (request_check_location(
			    session->options, watch_where(watch, i),
			    watch->verb == &verb_break, &session->err) < 0)
			return -1;
	return 0;
}

/* The params of one probe from the options. */
static cJSON *from_options(struct session *session, const struct watch *watch,
			   int i)
{
	cJSON *params = params_number("pid", watch->pid);
	const cJSON *part;

	cJSON_AddStringToObject(params, "kind", watch->verb->name);
	request_add_location(params, session->options, watch_where(watch, i));
	cJSON_ArrayForEach(part, watch->script) cJSON_AddItemToObject(
		params, part->string, cJSON_Duplicate(part, true));
	if (watch->verb == &verb_calls)
		request_add_thread(params, session->options);
	request_add_limits(params, session->options);
	return params;
}

static cJSON *from_file(const struct watch *watch, int i)
{
	cJSON *params =
		cJSON_Duplicate(cJSON_GetArrayItem(watch->probes, i), true);

	cJSON_DeleteItemFromObjectCaseSensitive(params, "persist");
	cJSON_AddNumberToObject(params, "pid", watch->pid);
	return params;
}

static int add_probe(struct session *session, const struct watch *watch, int i,
		     struct stream *stream)
{
	bool persist = watch->persist;
	cJSON *result = NULL,
	      *params = watch->probes ? from_file(watch, i)
				      : from_options(session, watch, i);

	if (persist)
		cJSON_AddTrueToObject(params, "persist");
	if (session_call(session, "probe.add", params, &result) < 0)
		return -1;
	stream_expect(stream, (uint32_t)member_number(result, "probe"));
	if (persist && session->output.json)
		output_item(&session->output, result);
	else if (persist)
		report_note("probe %.0f is set: nopdb tail %.0f shows its "
			    "records",
			    member_number(result, "probe"),
			    member_number(result, "probe"));
	cJSON_Delete(result);
	return 0;
}

static int add_probes(struct session *session, const struct watch *watch,
		      struct stream *stream)
{
	for (int i = 0; i < watch_probes(watch) && !interrupted(); i++)
		if (add_probe(session, watch, i, stream) < 0)
			return -1;
	return 0;
}

/* Removes what is left of our probes, takes in their last records, and
 * leaves the process. Failures are of no consequence: when this connection
 * ends, the daemon does the same. */
static void leave(struct session *session, const struct watch *watch,
		  struct stream *stream)
{
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < stream->count; i++)
		if (!stream->probes[i].ended &&
		    rpc_call(&session->rpc, "probe.remove",
			     params_number("probe", stream->probes[i].id), NULL,
			     &err) < 0 &&
		    err.code == ERROR_NO_DAEMON)
			return;
	if (stream_drain(stream, DRAIN_MS) < 0 || stream->target_exited)
		return;
	(void)!rpc_call(&session->rpc, "detach",
			params_number("pid", watch->pid), NULL, &err);
}

static void summarise(const struct stream *stream, const struct watch *watch)
{
	if (!isatty(STDERR_FILENO))
		return;
	report_note("%" PRIu64 " captures of %" PRIu64 " %s%s",
		    stream->captures, stream->hits,
		    watch->verb == &verb_calls ? "calls" : "hits",
		    stream->target_exited ? "; the process ended" : "");
}

static void warn_lost(const struct stream *stream)
{
	uint64_t lost = stream->lost ? stream->lost : stream->lost_told;

	if (lost)
		report_note("%" PRIu64 " records were lost", lost);
	if (stream->agent_lost)
		report_note("the agent in the process was lost");
}

/* Would this probe be set? Asks without setting it. */
static int check_probe(struct session *session, const struct watch *watch,
		       int i)
{
	cJSON *params = from_file(watch, i), *result = NULL;
	const cJSON *nearest;

	cJSON_DeleteItemFromObjectCaseSensitive(params, "kind");
	cJSON_DeleteItemFromObjectCaseSensitive(params, "limits");
	if (session_call(session, "lines", params, &result) < 0)
		return -1;
	nearest = member(result, "nearest");
	if (nearest) {
		char *text = cJSON_PrintUnformatted(nearest);

		error_set(&session->err, ERROR_LOCATION,
			  "no code on that line; the nearest lines with code: "
			  "%.80s",
			  text ? text : "");
		session->rpc.status = 0;
		cJSON_free(text);
	}
	cJSON_Delete(result);
	return nearest ? -1 : 0;
}

static int check_file(struct session *session, const struct watch *watch)
{
	for (int i = 0; i < watch_probes(watch); i++)
		if (check_probe(session, watch, i) < 0)
			return error_wrap(&session->err, "%s: probe %d",
					  watch->file, i + 1);
	return 0;
}

/* From the attached process to the last record. */
static int watch_run(struct session *session, const struct watch *watch,
		     struct stream *stream)
{
	int status;

	if ((watch->probes && check_file(session, watch) < 0) ||
	    add_probes(session, watch, stream) < 0) {
		status = session_failed(session);
		leave(session, watch, stream);
		return status;
	}
	if (watch->persist)
		return session_finish(session, 0);
	if (stream_run(stream) < 0)
		return session_failed(session);
	leave(session, watch, stream);
	/* A reader that left wants no more words either. */
	if (!session->output.closed && !session->rpc.output_closed) {
		warn_lost(stream);
		summarise(stream, watch);
	}
	return session_finish(session, stream_status(stream));
}

static cJSON *attach_params(const struct session *session,
			    const struct watch *watch)
{
	cJSON *params = params_number("pid", watch->pid);

	if (option_given(session->options, OPTION_DETACH_ON_EXIT))
		cJSON_AddTrueToObject(params, "detach_on_exit");
	return params;
}

/* Attaches, and all that follows. */
static int attach(struct session *session, const struct watch *watch)
{
	struct debugger debugger;
	struct stream stream;
	int status;

	if (watch->persist &&
	    option_given(session->options, OPTION_DETACH_ON_EXIT))
		return session_usage(watch->verb->name,
				     "--detach-on-exit: the probes persist");
	if (session_open(session) < 0 ||
	    stream_init(&stream, session, (size_t)watch_probes(watch)) < 0)
		return session_failed(session);
	debugger_init(&debugger, session);
	if (option_given(session->options, OPTION_DEBUG))
		stream.debugger = &debugger;
	/* Then the probes' ids are the output, and nothing else. */
	if (watch->persist && session->output.json)
		session->rpc.on_record = NULL;
	if (session_call(session, "attach", attach_params(session, watch),
			 NULL) < 0)
		status = session_failed(session);
	else
		status = watch_run(session, watch, &stream);
	debugger_release(&debugger);
	stream_release(&stream);
	return status;
}

/* What is read for the actions, is so once, before a process is entered. */
static int read_script(struct session *session, struct watch *watch)
{
	if (watch->verb != &verb_break)
		return 0;
	watch->script = cJSON_CreateObject();
	return request_add_script(watch->script, session->options,
				  &session->err);
}

int watch(struct session *session, const struct verb *verb, int argc,
	  char **argv)
{
	struct watch watch = {
		.verb = verb,
		.where = argv + 2,
		.count = argc - 2,
		.persist = option_given(session->options, OPTION_PERSIST),
	};
	int status;

	if (argument_pid(argv[1], &watch.pid, &session->err) < 0)
		return session_failed(session);
	if (watch.count == 0 && !request_has_location(session->options))
		return session_usage(verb->name, "WHERE is missing");
	if (check(&watch, session) < 0 || read_script(session, &watch) < 0)
		status = session_failed(session);
	else
		status = attach(session, &watch);
	cJSON_Delete(watch.script);
	return status;
}

int watch_file(struct session *session, const char *pid, const char *name,
	       const cJSON *probes)
{
	struct watch watch = {
		.verb = &verb_apply,
		.persist = option_given(session->options, OPTION_PERSIST) ||
			   probe_file_persists(probes),
		.file = name,
		.probes = probes,
	};

	if (argument_pid(pid, &watch.pid, &session->err) < 0)
		return session_failed(session);
	return attach(session, &watch);
}
