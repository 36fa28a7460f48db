/* SPDX-License-Identifier: MIT */
#include "daemon/route.h"

#include "daemon/daemon.h"
#include "daemon/grant.h"
#include "daemon/probe.h"
#include "daemon/record.h"
#include "daemon/session.h"
#include "daemon/target.h"

/* A debugger's text, each byte of which may be six in JSON. */
#define OWNER_BODY (6 * LIMIT_DEBUG + 1024u)
#define BODY 4096u /* of the records that the daemon writes itself */

/* Did it ask to, and may it? */
static bool hears(const struct session *session, const struct probe *probe)
{
	return (session == probe->owner ||
		subscriptions_match(&session->subscriptions,
				    probe->target->serial, probe->spec.id)) &&
	       grant_lets(session, probe->target, RIGHT_CAPTURE);
}

/* What becomes of its probe is told to a client whatever it may do now. */
static bool wants(const struct session *session, const struct probe *probe)
{
	return session == probe->owner || hears(session, probe);
}

static size_t probe_line(struct probe *probe, const char *event,
			 const char *body, size_t length)
{
	struct daemon *daemon = probe->target->daemon;
	struct record_head head = { .event = event,
				    .target = probe->target->name,
				    .pid = probe->target->id.pid,
				    .probe = probe->spec.id,
				    .seq = ++probe->seq };

	return record_line(daemon->line, sizeof(daemon->line), &head, body,
			   length);
}

void route_capture(struct probe *probe, const char *event, const char *body,
		   size_t length)
{
	struct daemon *daemon = probe->target->daemon;
	size_t size = probe_line(probe, event, body, length);
	struct session *session, *next;

	for (session = TAILQ_FIRST(&daemon->sessions); session;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		if (hears(session, probe))
			session_send_capture(session, probe->spec.id,
					     daemon->line, size);
	}
}

void route_probe(struct probe *probe, const char *event, const char *body,
		 size_t length)
{
	struct daemon *daemon = probe->target->daemon;
	size_t size = probe_line(probe, event, body, length);
	struct session *session, *next;

	for (session = TAILQ_FIRST(&daemon->sessions); session;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		if (wants(session, probe))
			session_send(session, daemon->line, size);
	}
}

/* Renders a small body; an empty object when it does not fit. */
static size_t render_body(char *buf, rpc_render *render, const void *arg)
{
	struct json_writer w;

	json_init(&w, buf, BODY);
	json_object_begin(&w);
	if (render)
		render(&w, arg);
	json_object_end(&w);
	if (!w.full)
		return json_length(&w);
	buf[0] = '{';
	buf[1] = '}';
	return 2;
}

void route_probe_render(struct probe *probe, const char *event,
			rpc_render *render, const void *arg)
{
	char body[BODY];

	route_probe(probe, event, body, render_body(body, render, arg));
}

void route_owner(struct probe *probe, const char *event, rpc_render *render,
		 const void *arg)
{
	struct daemon *daemon = probe->target->daemon;
	struct record_head head = { .event = event,
				    .target = probe->target->name,
				    .pid = probe->target->id.pid,
				    .probe = probe->spec.id };
	char body[OWNER_BODY];
	struct json_writer w;
	size_t size;

	json_init(&w, body, sizeof(body));
	json_object_begin(&w);
	render(&w, arg);
	json_object_end(&w);
	if (w.full)
		return;
	size = record_line(daemon->line, sizeof(daemon->line), &head, body,
			   json_length(&w));
	session_send(probe->owner, daemon->line, size);
}

/* ---- the end of a probe
 * --------------------------------------------------------- */

struct end {
	const struct probe *probe;
	uint64_t lost_slow;
};

static void render_end(struct json_writer *w, const void *arg)
{
	const struct end *end = arg;

	probe_write_counts(w, end->probe, end->lost_slow);
	json_key(w, "pause_us");
	json_uint(w, end->probe->target->pause_us);
	json_key(w, "reason");
	json_string(w, probe_end_name(end->probe->end));
}

static void send_end(struct probe *probe, struct session *session)
{
	struct daemon *daemon = probe->target->daemon;
	struct end end = { probe, session_lost(session, probe->spec.id) };
	char body[BODY];
	size_t size;

	session_probe_ends(session, probe->spec.id);
	size = probe_line(probe, "end", body,
			  render_body(body, render_end, &end));
	/* One record for all: its number is the same for each. */
	probe->seq--;
	session_send(session, daemon->line, size);
}

void route_probe_end(struct probe *probe)
{
	struct daemon *daemon = probe->target->daemon;
	struct session *session, *next;

	for (session = TAILQ_FIRST(&daemon->sessions); session;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		if (wants(session, probe))
			send_end(probe, session);
		subscriptions_drop_probe(&session->subscriptions,
					 probe->spec.id);
	}
}

/* ---- a slow client's losses
 * ------------------------------------------------------ */

static void render_slow(struct json_writer *w, const void *arg)
{
	json_key(w, "count");
	json_uint(w, *(const uint64_t *)arg);
	json_key(w, "reason");
	json_string(w, "slow-client");
}

void route_slow(struct session *session, uint32_t id, uint64_t count)
{
	struct daemon *daemon = session->daemon;
	struct probe *probe = registry_find(&daemon->registry, id);
	struct record_head head = { .event = "lost" };
	char body[BODY];
	size_t size;

	if (!probe)
		return;
	/* Not numbered: it concerns this client alone. */
	head.target = probe->target->name;
	head.pid = probe->target->id.pid;
	head.probe = id;
	size = record_line(daemon->line, sizeof(daemon->line), &head, body,
			   render_body(body, render_slow, &count));
	session_send(session, daemon->line, size);
}

/* ---- targets
 * --------------------------------------------------------------------- */

void route_target_one(struct target *target, struct session *session,
		      const char *event, rpc_render *render, const void *arg)
{
	struct daemon *daemon = target->daemon;
	struct record_head head = { .event = event,
				    .target = target->name,
				    .pid = target->id.pid };
	char body[BODY];
	size_t size = record_line(daemon->line, sizeof(daemon->line), &head,
				  body, render_body(body, render, arg));

	session_send(session, daemon->line, size);
}

void route_target(struct target *target, const char *event, rpc_render *render,
		  const void *arg)
{
	struct session *session, *next;

	for (session = TAILQ_FIRST(&target->daemon->sessions); session;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		if (target_held_by(target, session))
			route_target_one(target, session, event, render, arg);
	}
}
