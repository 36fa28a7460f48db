/* SPDX-License-Identifier: MIT */
#include "daemon/audit.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/access.h"
#include "daemon/call.h"
#include "daemon/daemon.h"
#include "daemon/target.h"

#define LINE_MAX_BYTES 4096
#define TEXT_MAX 512 /* of a location that is repeated */

/* ---- lines
 * ---------------------------------------------------------------------- */

static void begin(struct json_writer *w, char *buf, size_t size,
		  const char *event)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_init(w, buf, size - 1);
	json_object_begin(w);
	json_key(w, "time");
	json_time(w,
		  (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	json_key(w, "daemon");
	json_int(w, getpid());
	json_key(w, "event");
	json_string(w, event);
}

static bool put(struct daemon *daemon, struct json_writer *w, bool warning)
{
	json_object_end(w);
	if (w->full) {
		daemon->house.audit.lost++;
		return false;
	}
	*w->next = '\n';
	return audit_sink_write(&daemon->house.audit, w->start,
				json_length(w) + 1, warning);
}

/* What could not be written is told as soon as something can. */
static void tell_lost(struct daemon *daemon)
{
	struct audit_sink *sink = &daemon->house.audit;
	uint64_t lost = sink->lost;
	char buf[256];
	struct json_writer w;

	if (lost == sink->told)
		return;
	begin(&w, buf, sizeof(buf), "lost");
	json_key(&w, "count");
	json_uint(&w, lost - sink->told);
	if (put(daemon, &w, true))
		sink->told = lost;
	else
		sink->lost = lost; /* this line is not one of them */
}

static bool listening(const struct daemon *daemon)
{
	return daemon->house.audit.kind != AUDIT_NONE;
}

static void finish(struct daemon *daemon, struct json_writer *w, bool warning)
{
	tell_lost(daemon);
	put(daemon, w, warning);
}

static void write_number(struct json_writer *w, const char *name,
			 uint64_t value)
{
	json_key(w, name);
	json_uint(w, value);
}

static void write_text(struct json_writer *w, const char *name,
		       const char *text)
{
	json_key(w, name);
	json_string(w, text);
}

static void write_flag(struct json_writer *w, const char *name, bool value)
{
	if (!value)
		return;
	json_key(w, name);
	json_bool(w, true);
}

static void write_error(struct json_writer *w, const struct error *error)
{
	write_text(w, "result", error ? error_name(error->code) : "ok");
	/* Our own words; those of others may repeat an expression. */
	if (error && error->code == ERROR_NOT_PERMITTED)
		write_text(w, "reason", error->msg);
}

/* ---- requests
 * ------------------------------------------------------------------------ */

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* {"kind": "eval", "length": 12} */
static void write_code(struct json_writer *w, const char *kind,
		       const cJSON *code)
{
	const char *text = cJSON_GetStringValue(code);

	json_object_begin(w);
	write_text(w, "kind", kind);
	if (text)
		write_number(w, "length", strlen(text));
	json_object_end(w);
}

/* What was asked for under these names; the number of them. */
static unsigned write_texts(struct json_writer *w, const cJSON *params)
{
	static const char *const names[] = { "expr",	 "code",     "if",
					     "callable", "once_per", "text" };
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const cJSON *code = member(params, names[i]);

		if (!code)
			continue;
		write_code(w, names[i], code);
		count++;
	}
	return count;
}

static void write_codes(struct json_writer *w, const cJSON *params)
{
	struct json_mark before = json_mark(w);
	const cJSON *action;
	unsigned count;

	json_key(w, "code");
	json_array_begin(w);
	count = write_texts(w, params);
	cJSON_ArrayForEach(action, member(params, "actions"))
	{
		const cJSON *first =
			cJSON_IsObject(action) ? action->child : NULL;

		count++;
		/* A name that is none may be anything. */
		write_code(w,
			   first && rights_of_action(first->string)
				   ? first->string
				   : "unknown",
			   first);
	}
	json_array_end(w);
	if (!count && !w->full)
		json_rewind(w, before);
}

/* Names of places are no secret; a line's text is code. */
static void write_where(struct json_writer *w, const cJSON *params)
{
	static const char *const names[] = { "kind",   "where",	   "module",
					     "file",   "function", "core",
					     "native", "root" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *text =
			cJSON_GetStringValue(member(params, names[i]));

		if (!text)
			continue;
		json_key(w, names[i]);
		json_string_n(w, text, strnlen(text, TEXT_MAX));
	}
	if (cJSON_IsNumber(member(params, "line")))
		write_number(w, "line",
			     (uint64_t)member(params, "line")->valuedouble);
	write_flag(w, "locals", cJSON_IsTrue(member(params, "locals")));
	write_flag(w, "force", cJSON_IsTrue(member(params, "force")));
	write_flag(w, "persist", cJSON_IsTrue(member(params, "persist")));
}

static void write_who(struct json_writer *w, const struct call_client *client)
{
	write_number(w, "uid", client->uid);
	write_number(w, "gid", client->gid);
	write_number(w, "client", (uint64_t)client->pid);
}

/* The process that is meant, however it was named. */
static void write_process(struct json_writer *w, const struct call *call)
{
	const cJSON *params = call->request.params;
	const char *name = cJSON_GetStringValue(member(params, "target"));
	const cJSON *pid = member(params, "pid");
	const cJSON *probe = member(params, "probe");

	if (call->pid)
		write_number(w, "pid", (uint64_t)call->pid);
	else if (cJSON_IsNumber(pid))
		write_number(w, "pid", (uint64_t)pid->valuedouble);
	if (name) {
		json_key(w, "target");
		json_string_n(w, name, strnlen(name, 40));
	}
	if (call->probe)
		write_number(w, "probe", call->probe);
	else if (cJSON_IsNumber(probe))
		write_number(w, "probe", (uint64_t)probe->valuedouble);
}

static void write_rule(struct json_writer *w, const struct call *call)
{
	const struct decision *decision = &call->verdict.decision;

	if (!call->judged)
		return;
	if (decision->rule >= 0)
		write_text(w, "rule",
			   rulebook_rule(call->daemon->house.book,
					 decision->rule));
	json_key(w, "rights");
	rights_write(w, call->verdict.rights);
}

/* Also where it is told that there is no such thing. */
static bool is_refusal(const struct call *call, const struct error *error)
{
	return call->refused || (error && error->code == ERROR_NOT_PERMITTED);
}

static const char *event_of(const struct call *call, const struct error *error)
{
	const char *method = call->request.method;

	if (is_refusal(call, error))
		return "refusal";
	if (!strcmp(method, "attach") || !strcmp(method, "detach"))
		return method;
	return strcmp(method, "probe.add") ? "command" : "probe";
}

void audit_call(const struct call *call, const struct error *error)
{
	char buf[LINE_MAX_BYTES];
	struct json_writer w;
	struct json_mark short_form;

	/* A greeting touches nothing. */
	if (!listening(call->daemon) || !strcmp(call->request.method, "hello"))
		return;
	begin(&w, buf, sizeof(buf), event_of(call, error));
	write_text(&w, "method", call->request.method);
	write_who(&w, &call->client);
	write_process(&w, call);
	write_error(&w, error);
	write_rule(&w, call);
	short_form = json_mark(&w);
	write_where(&w, call->request.params);
	write_codes(&w, call->request.params);
	/* Room for the closing brace, too. */
	if (w.full || json_room(&w) < 2) {
		json_rewind(&w, short_form);
		write_flag(&w, "cut", true);
	}
	finish(call->daemon, &w, is_refusal(call, error));
}

/* ---- what happens without a request
 * ------------------------------------------------------------------------ */

void audit_client(struct daemon *daemon, const struct peer *peer,
		  const struct error *error)
{
	const struct call_client client = { peer->pid, peer->uid, peer->gid };
	char buf[LINE_MAX_BYTES];
	struct json_writer w;

	if (!listening(daemon))
		return;
	begin(&w, buf, sizeof(buf), "refusal");
	write_text(&w, "method", "connect");
	write_who(&w, &client);
	write_error(&w, error);
	finish(daemon, &w, true);
}

void audit_target(const struct target *target, const char *reason)
{
	char buf[LINE_MAX_BYTES];
	struct json_writer w;

	if (!listening(target->daemon))
		return;
	begin(&w, buf, sizeof(buf), "detach");
	write_number(&w, "pid", (uint64_t)target->id.pid);
	write_text(&w, "target", target->name);
	write_text(&w, "reason", reason);
	finish(target->daemon, &w, false);
}

void audit_probe(const struct probe *probe)
{
	const struct target *target = probe->target;
	char buf[LINE_MAX_BYTES];
	struct json_writer w;

	if (!listening(target->daemon))
		return;
	begin(&w, buf, sizeof(buf), "probe-end");
	write_number(&w, "pid", (uint64_t)target->id.pid);
	write_text(&w, "target", target->name);
	write_number(&w, "probe", probe->spec.id);
	write_text(&w, "reason", probe_end_name(probe->end));
	write_number(&w, "hits", probe_hits(probe));
	write_number(&w, "captures", probe->captures);
	finish(target->daemon, &w, false);
}

void audit_policy(struct daemon *daemon, const struct error *error)
{
	char buf[LINE_MAX_BYTES];
	struct json_writer w;

	if (!listening(daemon))
		return;
	begin(&w, buf, sizeof(buf), "policy");
	write_text(&w, "source",
		   daemon->house.book ? daemon->house.book->source : "none");
	write_text(&w, "result", error ? error_name(error->code) : "ok");
	if (error)
		write_text(&w, "reason", error->msg);
	finish(daemon, &w, error != NULL);
}
