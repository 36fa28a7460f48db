/* SPDX-License-Identifier: MIT */
#include "daemon/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/access.h"
#include "daemon/attachment.h"
#include "daemon/audit.h"
#include "daemon/daemon.h"
#include "daemon/gate.h"
#include "daemon/grant.h"
#include "daemon/log.h"
#include "daemon/params.h"
#include "daemon/probe_life.h"
#include "daemon/route.h"
#include "daemon/session.h"

/* ---- finding
 * --------------------------------------------------------------------- */

struct target *target_find(struct daemon *daemon, const char *name)
{
	struct target *target;

	TAILQ_FOREACH(target, &daemon->targets, entry)
	{
		if (!strcmp(target->name, name))
			return target;
	}
	return NULL;
}

struct target *target_find_pid(struct daemon *daemon, pid_t pid)
{
	struct target *target;

	/* A pid that was reused: the newer one is at the end. */
	TAILQ_FOREACH_REVERSE(target, &daemon->targets, target_list, entry)
	{
		if (target->id.pid == pid)
			return target;
	}
	return NULL;
}

/* ---- holding
 * --------------------------------------------------------------------- */

bool target_held_by(const struct target *target, const struct session *session)
{
	for (unsigned i = 0; i < target->holder_count; i++) {
		if (target->holders[i] == session)
			return true;
	}
	return false;
}

static void render_attached(struct json_writer *w, const void *arg)
{
	const struct target *target = arg;

	json_key(w, "python");
	json_string(w, target->python);
	json_key(w, "engine");
	json_string(w, target->engine);
	json_key(w, "pause_us");
	json_uint(w, target->pause_us);
}

void target_hold(struct target *target, struct session *session)
{
	if (target_held_by(target, session) ||
	    target->holder_count == LIMIT_CLIENTS)
		return;
	target->clears[target->holder_count] = false;
	target->holders[target->holder_count++] = session;
	route_target_one(target, session, "attached", render_attached, target);
}

static void drop_hold(struct target *target, const struct session *session)
{
	for (unsigned i = 0; i < target->holder_count; i++) {
		if (target->holders[i] == session) {
			unsigned last = --target->holder_count;

			target->holders[i] = target->holders[last];
			target->clears[i] = target->clears[last];
			return;
		}
	}
}

static void clear_at_exit(struct target *target, const struct session *session)
{
	for (unsigned i = 0; i < target->holder_count; i++) {
		if (target->holders[i] == session)
			target->clears[i] = true;
	}
}

/* Ends what a client that wants it so has set, persistent or not, and what
 * earlier clients of its user left. What others need stays. */
static void clear(struct target *target, const struct session *session)
{
	struct probe *probe, *next;
	bool wanted = false;

	for (unsigned i = 0; i < target->holder_count; i++)
		wanted |= target->holders[i] == session && target->clears[i];
	if (!wanted)
		return;
	for (probe = TAILQ_FIRST(&target->probes); probe; probe = next) {
		next = TAILQ_NEXT(probe, of_target);
		if (probe->owner == session ||
		    (!probe->owner && probe->uid == session->peer.uid))
			probe_life_end(probe, PROBE_END_DETACHED);
	}
}

/* Leaves a target that nobody needs. */
static void leave_if_free(struct target *target)
{
	if (target->state == TARGET_LIVE && target->holder_count == 0 &&
	    target->probe_count == 0)
		target_leave(target, "released");
}

void target_let_go(struct target *target, struct session *session)
{
	struct probe *probe, *next;

	clear(target, session);
	drop_hold(target, session);
	for (probe = TAILQ_FIRST(&target->probes); probe; probe = next) {
		next = TAILQ_NEXT(probe, of_target);
		if (probe->owner != session)
			continue;
		probe->owner = NULL;
		probe->uid = session->peer.uid;
		if (!probe->persist)
			probe_life_end(probe, PROBE_END_CLIENT_GONE);
	}
	leave_if_free(target);
}

/* ---- attaching
 * ------------------------------------------------------------------- */

static void render_attach(struct json_writer *w, const void *arg)
{
	const struct target *target = arg;

	json_key(w, "target");
	json_string(w, target->name);
	json_key(w, "pid");
	json_int(w, target->id.pid);
	render_attached(w, target);
	json_key(w, "attach_us");
	json_uint(w, target->attach_us);
	json_key(w, "tries");
	json_uint(w, target->job.report.tries);
	if (target->job.report.pending_call) {
		json_key(w, "pending_call");
		json_bool(w, true);
	}
}

/* The answer first: a record names a target that the client then knows. */
static void welcome(struct target *target, struct call *call)
{
	struct session *session = call->session;
	bool clears = params_bool(call->request.params, "detach_on_exit");

	call_answer(call, render_attach, target);
	if (!session || session->released)
		return;
	target_hold(target, session);
	if (clears)
		clear_at_exit(target, session);
}

void target_became_live(struct target *target)
{
	struct call *call;

	target->state = TARGET_LIVE;
	target->was_live = true;
	counters_attached(&target->daemon->counters, target->pause_us);
	log_line("%s: attached: python %s, engine %s, pause %llu us",
		 target->name, target->python, target->engine,
		 (unsigned long long)target->pause_us);
	while ((call = TAILQ_FIRST(&target->attachers))) {
		TAILQ_REMOVE(&target->attachers, call, waiting);
		welcome(target, call);
	}
	if (target->daemon->stopping)
		target_leave(target, "daemon-stops");
	leave_if_free(target);
	gate_target_live(target);
}

/* Joins a target that is there already, whatever becomes of it. */
static void join(struct target *target, struct call *call)
{
	struct error err = ERROR_INIT;

	switch (target->state) {
	case TARGET_ATTACHING:
	case TARGET_STARTING:
		TAILQ_INSERT_TAIL(&target->attachers, call, waiting);
		return;
	case TARGET_LIVE:
		welcome(target, call);
		return;
	case TARGET_LEAVING:
	case TARGET_DEPARTING:
	case TARGET_GONE:
		break;
	}
	if (!target->stuck) {
		TAILQ_INSERT_TAIL(&target->successors, call, waiting);
		return;
	}
	error_set(&err, ERROR_BUSY,
		  "pid %d: the agent of an earlier attach has not left yet",
		  (int)target->id.pid);
	error_remedy(&err, "wait until the thread that holds the GIL lets go");
	call_fail(call, &err);
}

static struct target *new_target(struct daemon *daemon, struct process_id *id,
				 struct error *err)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target) {
		error_set(err, ERROR_NO_MEMORY, "no memory for a target");
		return NULL;
	}
	target->daemon = daemon;
	target->serial = ++daemon->target_serial;
	target->id = *id;
	target->asked_ns = uv_hrtime();
	snprintf(target->name, sizeof(target->name), "%d.%llu", (int)id->pid,
		 (unsigned long long)id->start_time);
	TAILQ_INIT(&target->probes);
	TAILQ_INIT(&target->debugged);
	TAILQ_INIT(&target->attachers);
	TAILQ_INIT(&target->detachers);
	TAILQ_INIT(&target->successors);
	if (attachment_init(target, err)) {
		free(target);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&daemon->targets, target, entry);
	daemon->target_count++;
	daemon_changed(daemon);
	return target;
}

/* One user cannot take the room of all others. */
static int check_share(const struct daemon *daemon, uid_t user,
		       struct error *err)
{
	const struct target *target;
	unsigned count = 0;

	if (!daemon->house.shared || user == 0 || user == geteuid())
		return 0;
	TAILQ_FOREACH(target, &daemon->targets, entry)
	count += target->user == user;
	if (count < LIMIT_USER_TARGETS)
		return 0;
	error_set(err, ERROR_LIMIT, "more than %d targets of user %u",
		  LIMIT_USER_TARGETS, (unsigned)user);
	return error_remedy(err, "detach from some of them");
}

static int may_enter(struct daemon *daemon, const struct call *call,
		     struct error *err)
{
	if (daemon->stopping)
		return error_set(err, ERROR_BUSY, "the daemon is stopping");
	if (daemon->target_count >= LIMIT_TARGETS)
		return error_set(err, ERROR_LIMIT, "more than %d targets",
				 LIMIT_TARGETS);
	if (daemon->agent_fd < 0) {
		error_set(err, ERROR_ATTACH, "no agent to put in: %.120s",
			  daemon->agent_path);
		return error_remedy(err, "install nopdb-agent.so beside nopdbd"
					 " or give nopdbd --agent PATH");
	}
	return check_share(daemon, call->client.uid, err);
}

/* Who was let in needs not be asked again as long as the target is there. */
static void keep_grant(const struct target *target, const struct call *call)
{
	if (call->access && call->session)
		grant_set(call->session, target->serial,
			  &call->access->verdict);
}

void target_attach(struct daemon *daemon, struct call *call, pid_t pid)
{
	struct error err = ERROR_INIT;
	struct process_id id = { .pidfd = -1 };
	struct target *target;

	if (call_open_process(call, pid, &id, &err)) {
		attachment_name_pid(&err, pid);
		call_fail(call, &err);
		return;
	}
	target = target_find_pid(daemon, pid);
	if (target && target->id.start_time == id.start_time) {
		process_close(&id);
		keep_grant(target, call);
		join(target, call);
		return;
	}
	target = NULL;
	if (!may_enter(daemon, call, &err))
		target = new_target(daemon, &id, &err);
	if (!target) {
		process_close(&id);
		call_fail(call, &err);
		return;
	}
	target->user = call->client.uid;
	keep_grant(target, call);
	target->job.access = call->access;
	TAILQ_INSERT_TAIL(&target->attachers, call, waiting);
	attachment_begin(target);
}

/* ---- detaching
 * ------------------------------------------------------------------- */

static void render_detach(struct json_writer *w, const void *arg)
{
	const struct target *target = arg;

	json_key(w, "target");
	json_string(w, target->name);
	json_key(w, "detached");
	json_bool(w, true);
	if (target->resident) {
		json_key(w, "resident");
		json_bool(w, true);
	}
}

static bool owns_probe(const struct target *target,
		       const struct session *session)
{
	const struct probe *probe;

	TAILQ_FOREACH(probe, &target->probes, of_target)
	{
		if (probe->owner == session)
			return true;
	}
	return false;
}

/* Does anyone but this client need the target? */
static bool needed_by_others(const struct target *target,
			     const struct session *session)
{
	const struct probe *probe;

	if (target->holder_count > target_held_by(target, session))
		return true;
	TAILQ_FOREACH(probe, &target->probes, of_target)
	{
		if (probe->owner != session && !probe_ending(probe))
			return true;
	}
	return false;
}

/* Answers those whose own probes are gone while the target stays. */
static void answer_partial(struct target *target)
{
	struct call *call, *next;

	for (call = TAILQ_FIRST(&target->detachers); call; call = next) {
		next = TAILQ_NEXT(call, waiting);
		if (call->session && owns_probe(target, call->session))
			continue;
		TAILQ_REMOVE(&target->detachers, call, waiting);
		call_answer(call, render_detach, target);
	}
}

void target_probe_gone(struct target *target)
{
	if (target->state == TARGET_LEAVING && target->probe_count == 0)
		attachment_send_leave(target);
	if (target->state == TARGET_LIVE)
		answer_partial(target);
	leave_if_free(target);
}

/* The client goes, the target stays for others. */
static void detach_one(struct target *target, struct session *session)
{
	struct probe *probe, *next;

	drop_hold(target, session);
	for (probe = TAILQ_FIRST(&target->probes); probe; probe = next) {
		next = TAILQ_NEXT(probe, of_target);
		if (probe->owner == session)
			probe_life_end(probe, PROBE_END_DETACHED);
	}
	if (target->state == TARGET_LIVE)
		answer_partial(target);
}

static void refuse_detach(struct target *target, struct call *call)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERROR_BUSY, "pid %d is in use by %u other clients",
		  (int)target->id.pid, target->holder_count);
	error_remedy(&err, "end their captures first, or detach with force");
	call_fail(call, &err);
}

void target_detach(struct target *target, struct call *call, bool force)
{
	struct session *session = call->session;
	struct error err = ERROR_INIT;
	bool others;

	if (target->state < TARGET_LIVE) {
		error_set(&err, ERROR_BUSY, "pid %d is being attached to",
			  (int)target->id.pid);
		call_fail(call, &err);
		return;
	}
	if (session)
		clear(target, session);
	others = needed_by_others(target, session);
	if (target->state == TARGET_LIVE && others && !force &&
	    !target_held_by(target, session)) {
		refuse_detach(target, call);
		return;
	}
	TAILQ_INSERT_TAIL(&target->detachers, call, waiting);
	if (target->state != TARGET_LIVE)
		return;
	if (others && !force)
		detach_one(target, session);
	else
		target_leave(target, "requested");
}

void target_leave(struct target *target, const char *reason)
{
	struct probe *probe, *next;

	if (target->state != TARGET_LIVE)
		return;
	target->state = TARGET_LEAVING;
	target->leave_reason = reason;
	for (probe = TAILQ_FIRST(&target->probes); probe; probe = next) {
		next = TAILQ_NEXT(probe, of_target);
		probe_life_end(probe, PROBE_END_DETACHED);
		if (target->state != TARGET_LEAVING)
			return;
	}
	if (target->probe_count == 0)
		attachment_send_leave(target);
}

/* ---- gone
 * ------------------------------------------------------------------------ */

static void render_reason(struct json_writer *w, const void *arg)
{
	json_key(w, "reason");
	json_string(w, arg);
}

void target_dismiss(struct target *target, struct session *session,
		    const char *reason)
{
	route_target_one(target, session, "detached", render_reason, reason);
	target_let_go(target, session);
}

void target_tell_holders(struct target *target, const char *event,
			 const char *reason)
{
	log_line("%s: %s: %s", target->name, event, reason);
	route_target(target, event, render_reason, reason);
	target->holder_count = 0;
}

/* Clients that wanted in while the last agent was on its way out. */
static void start_successors(struct daemon *daemon, struct call_list *calls)
{
	struct call *call;

	while ((call = TAILQ_FIRST(calls))) {
		uint64_t pid = 0;

		TAILQ_REMOVE(calls, call, waiting);
		params_uint(call->request.params, "pid", &pid);
		target_attach(daemon, call, (pid_t)pid);
	}
}

static void drop_subscriptions(struct target *target)
{
	struct session *session;

	TAILQ_FOREACH(session, &target->daemon->sessions, entry)
	subscriptions_drop_target(&session->subscriptions, target->serial);
}

void target_became_gone(struct target *target)
{
	struct call_list successors;
	struct call *call;

	target->daemon->counters.departures += target->was_live;
	target->state = TARGET_GONE;
	TAILQ_REMOVE(&target->daemon->targets, target, entry);
	drop_subscriptions(target);
	gate_target_gone(target);
	if (target->was_live)
		audit_target(target, target->leave_reason ? target->leave_reason
							  : "target-exit");
	if (!target->failure.code)
		error_set(&target->failure, ERROR_AGENT,
			  "pid %d: the agent has left", (int)target->id.pid);
	call_fail_all(&target->attachers, &target->failure);
	while ((call = TAILQ_FIRST(&target->detachers))) {
		TAILQ_REMOVE(&target->detachers, call, waiting);
		call_answer(call, render_detach, target);
	}
	TAILQ_INIT(&successors);
	TAILQ_CONCAT(&successors, &target->successors, waiting);
	start_successors(target->daemon, &successors);
	attachment_close(target);
}

void target_free(struct target *target)
{
	struct daemon *daemon = target->daemon;

	process_close(&target->id);
	free(target);
	daemon->target_count--;
	daemon_changed(daemon);
}
