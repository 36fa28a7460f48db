/* SPDX-License-Identifier: MIT */
#include "daemon/gate.h"

#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/inquiry.h"
#include "daemon/method.h"
#include "daemon/probe_life.h"
#include "daemon/session.h"
#include "daemon/target.h"

static void advance(struct session *session);

/* ---- who is meant
 * ----------------------------------------------------------------- */

static const cJSON *given(const struct call *call, const char *name)
{
	return params_object(call->request.params, name);
}

static bool asks_anew(const struct call *call)
{
	return call->method->scope == GATE_PROCESS ||
	       call->method->scope == GATE_TOLD;
}

static bool names_one(const struct call *call)
{
	return given(call, "pid") || given(call, "target") ||
	       given(call, "probe");
}

static struct probe *named_probe(const struct call *call)
{
	uint64_t id = 0;

	if (!params_uint(call->request.params, "probe", &id))
		return NULL;
	return registry_find(&call->daemon->registry, (uint32_t)id);
}

/* By its name or a probe: these say which process it is. */
static struct target *named_target(const struct call *call)
{
	const char *name = params_string(call->request.params, "target");
	struct probe *probe = named_probe(call);

	if (probe)
		return probe->target;
	return name ? target_find(call->daemon, name) : NULL;
}

/* ---- may it
 * ----------------------------------------------------------------------- */

static uint32_t rights_wanted(const struct call *call)
{
	uint32_t rights =
		call->method->right | rights_of_params(call->request.params);
	const struct probe *probe = named_probe(call);

	/* To set another's probe to work is to do what it does. */
	if (probe && call->method == &method_probe_enable)
		rights |= rights_of_probe(&probe->spec);
	return rights;
}

/* As if there were none of it. */
static int deny_existence(const struct call *call, struct error *err)
{
	uint64_t probe = 0;

	if (params_uint(call->request.params, "probe", &probe))
		return method_no_probe((uint32_t)probe, err);
	return method_not_attached(call->request.params, err);
}

static int check(struct call *call, const struct verdict *verdict, pid_t pid,
		 struct error *err)
{
	uint32_t wanted = rights_wanted(call);

	call->judged = true;
	call->pid = pid;
	call->verdict = *verdict;
	if (call->method->scope == GATE_TOLD || access_has(verdict, wanted))
		return 0;
	call->refused = true;
	if (!given(call, "pid") && !(verdict->rights & RIGHT_SEE))
		return deny_existence(call, err);
	return access_refuse(verdict, call->daemon->house.book,
			     &call->session->peer, pid, wanted, err);
}

/* ---- passing
 * ---------------------------------------------------------------------- */

static void fail(struct call *call, enum error_code code, const char *why)
{
	struct error err = ERROR_INIT;

	error_set(&err, code, "%s: %s", call->method->name, why);
	call_fail(call, &err);
}

static void handle(struct call *call)
{
	/* It would leave behind what nobody takes away again. */
	if (!call->session || call->session->released)
		fail(call, ERROR_BUSY, "the client has left");
	else
		call->method->handler(call);
}

static void pass_if(struct call *call, const struct verdict *verdict, pid_t pid)
{
	struct error err = ERROR_INIT;

	if (call->session && check(call, verdict, pid, &err))
		call_fail(call, &err);
	else
		handle(call);
}

/* The answer about one process, or about all that are attached. */
static void on_answer(struct inquiry *inquiry, struct session *session)
{
	struct call *call = inquiry->arg;
	struct access *access = inquiry->list[0];

	if (session)
		session->asking = false;
	/* By a policy that is in force no more. */
	if (session && access->book != session->daemon->house.book) {
		TAILQ_INSERT_HEAD(&session->gate, call, waiting);
	} else if (!names_one(call)) {
		handle(call);
	} else {
		inquiry->list[0] = NULL;
		call->access = access;
		pass_if(call, &access->verdict, access->id.pid);
	}
	/* What it did may have closed the session, but not freed it. */
	if (session)
		advance(session);
}

static void ask(struct inquiry *inquiry, struct call *call)
{
	call->session->asking = true;
	inquiry_start(inquiry, on_answer, call);
}

static void ask_about_target(struct call *call, const struct target *target)
{
	struct inquiry *inquiry = inquiry_new(call->session, 1);
	struct error err = ERROR_INIT;

	if (!inquiry)
		error_set(&err, ERROR_NO_MEMORY, "%s: no memory",
			  call->method->name);
	if (inquiry &&
	    !inquiry_add_target(inquiry, call->session, target, &err)) {
		ask(inquiry, call);
		return;
	}
	inquiry_free(inquiry);
	call_fail(call, &err);
}

static void pass_target(struct call *call, const struct target *target)
{
	const struct grant *grant = grant_find(call->session, target->serial);

	if (grant)
		pass_if(call, &grant->verdict, target->id.pid);
	else
		ask_about_target(call, target);
}

/* ---- by its process id
 * ------------------------------------------------------------- */

/* That it is a thread's, or of one that has ended, is for those to know whose
 * it is. */
static void hide(const struct session *session, pid_t pid, struct error *err)
{
	struct process_identity who;

	if (session->peer.uid == 0 || process_identify(pid, &who, NULL) ||
	    who.uid[0] == session->peer.uid)
		return;
	error_set(err, ERROR_NO_PROCESS, "no process %d", (int)pid);
	error_remedy(err, "list the Python processes: nopdb ps");
}

static void ask_about_process(struct call *call, struct process_id *id)
{
	struct target *target = target_find_pid(call->daemon, id->pid);
	struct inquiry *inquiry = inquiry_new(call->session, 1);
	struct error err = ERROR_INIT;
	uint64_t serial = 0;

	if (target && target->id.start_time == id->start_time)
		serial = target->serial;
	if (inquiry && !inquiry_add(inquiry, call->session, id, serial, &err)) {
		ask(inquiry, call);
		return;
	}
	if (!inquiry) {
		process_close(id);
		error_set(&err, ERROR_NO_MEMORY, "%s: no memory",
			  call->method->name);
	}
	inquiry_free(inquiry);
	call_fail(call, &err);
}

static void pass_pid(struct call *call)
{
	struct process_id id = { .pidfd = -1 };
	struct error err = ERROR_INIT;
	const struct target *target;
	uint64_t pid = 0;

	params_uint(call->request.params, "pid", &pid);
	target = target_find_pid(call->daemon, (pid_t)pid);
	if (target && !asks_anew(call) && process_same(&target->id) &&
	    grant_find(call->session, target->serial)) {
		pass_target(call, target);
		return;
	}
	if (!process_open((pid_t)pid, &id, &err)) {
		ask_about_process(call, &id);
		return;
	}
	hide(call->session, (pid_t)pid, &err);
	if (call->method->scope != GATE_TOLD) {
		call_fail(call, &err);
		return;
	}
	call->unknown = err;
	handle(call);
}

/* ---- all that are attached
 * --------------------------------------------------------- */

/* NULL: there is nothing to ask. anew: also what was asked before. */
static struct inquiry *about_all(struct session *session, bool anew)
{
	struct daemon *daemon = session->daemon;
	struct inquiry *inquiry = inquiry_new(session, daemon->target_count);
	const struct target *target;

	if (!inquiry)
		return NULL;
	/* What cannot be asked about is left out. */
	TAILQ_FOREACH(target, &daemon->targets, entry)
	{
		if (target->state == TARGET_LIVE &&
		    !grant_find(session, target->serial) != anew)
			(void)!inquiry_add_target(inquiry, session, target,
						  NULL);
	}
	if (inquiry->count)
		return inquiry;
	inquiry_free(inquiry);
	return NULL;
}

static void pass_all(struct call *call)
{
	struct inquiry *inquiry = about_all(call->session, false);

	if (inquiry)
		ask(inquiry, call);
	else
		handle(call);
}

/* ---- the queue
 * --------------------------------------------------------------------- */

static void pass_operator(struct call *call)
{
	struct error err = ERROR_INIT;

	if (peer_operates(&call->session->peer, geteuid())) {
		handle(call);
		return;
	}
	error_set(&err, ERROR_NOT_PERMITTED,
		  "%s concerns the whole daemon: user %u may not",
		  call->method->name, (unsigned)call->session->peer.uid);
	error_remedy(&err, "as root, or as user %u", (unsigned)geteuid());
	call_fail(call, &err);
}

static void begin(struct call *call)
{
	enum gate_scope scope = call->method->scope;
	const struct target *target = named_target(call);

	if (scope == GATE_OPEN)
		handle(call);
	else if (scope == GATE_OPERATOR || given(call, "core"))
		pass_operator(call);
	else if (target)
		pass_target(call, target);
	else if (given(call, "pid"))
		pass_pid(call);
	else if (asks_anew(call) || names_one(call))
		handle(call); /* which finds that there is none */
	else
		pass_all(call);
}

static void advance(struct session *session)
{
	struct call *call;

	while (!session->asking && (call = TAILQ_FIRST(&session->gate))) {
		TAILQ_REMOVE(&session->gate, call, waiting);
		begin(call);
	}
	if (session->ending && gate_idle(session))
		session_finish(session);
}

void gate_pass(struct call *call, const struct method *method)
{
	struct session *session = call->session;

	call->method = method;
	if (!call->daemon->house.book) {
		method->handler(call);
		return;
	}
	TAILQ_INSERT_TAIL(&session->gate, call, waiting);
	advance(session);
}

bool gate_idle(const struct session *session)
{
	return !session->asking && TAILQ_EMPTY(&session->gate);
}

void gate_session_ends(struct session *session)
{
	struct call *call;

	while ((call = TAILQ_FIRST(&session->gate))) {
		TAILQ_REMOVE(&session->gate, call, waiting);
		fail(call, ERROR_BUSY, "the client has left");
	}
	grant_drop_all(session);
}

/* ---- targets come and go
 * ----------------------------------------------------------- */

static void on_known(struct inquiry *inquiry, struct session *session)
{
}

/* What another client with the same credentials was told just now, so that its
 * listeners miss nothing. */
static bool take_over(struct session *session, const struct target *target)
{
	const struct session *other;

	TAILQ_FOREACH(other, &target->daemon->sessions, entry)
	{
		const struct grant *grant = grant_find(other, target->serial);

		if (!grant || !peer_same(&other->peer, &session->peer))
			continue;
		if (other != session)
			grant_set(session, target->serial, &grant->verdict);
		return true;
	}
	return false;
}

void gate_target_live(struct target *target)
{
	struct session *session;

	if (!target->daemon->house.book)
		return;
	TAILQ_FOREACH(session, &target->daemon->sessions, entry)
	{
		struct inquiry *inquiry = NULL;

		if (subscriptions_match(&session->subscriptions, target->serial,
					0) &&
		    !take_over(session, target))
			inquiry = about_all(session, false);
		if (inquiry)
			inquiry_start(inquiry, on_known, NULL);
	}
}

void gate_target_gone(struct target *target)
{
	struct session *session;

	TAILQ_FOREACH(session, &target->daemon->sessions, entry)
	grant_drop(session, target->serial);
}

/* ---- another policy
 * ---------------------------------------------------------------- */

static void end_probes(struct session *session, struct target *target)
{
	struct probe *probe, *next;

	for (probe = TAILQ_FIRST(&target->probes); probe; probe = next) {
		next = TAILQ_NEXT(probe, of_target);
		if (probe->owner == session &&
		    !grant_lets(session, target, rights_of_probe(&probe->spec)))
			probe_life_end(probe, PROBE_END_NOT_PERMITTED);
	}
}

/* What the new policy does not let it do ends. */
static void on_changed(struct inquiry *inquiry, struct session *session)
{
	struct target *target, *next;

	if (!session)
		return;
	for (target = TAILQ_FIRST(&inquiry->daemon->targets); target;
	     target = next) {
		next = TAILQ_NEXT(target, entry);
		if (target->state != TARGET_LIVE)
			continue;
		end_probes(session, target);
		if (target_held_by(target, session) &&
		    !grant_lets(session, target, RIGHTS_ENTER))
			target_dismiss(target, session, "not-permitted");
	}
}

void gate_policy_changed(struct daemon *daemon)
{
	struct session *session;

	TAILQ_FOREACH(session, &daemon->sessions, entry)
	{
		struct inquiry *inquiry = about_all(session, true);

		if (inquiry)
			inquiry_start(inquiry, on_changed, NULL);
	}
}
