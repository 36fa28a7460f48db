/* SPDX-License-Identifier: MIT */
#include "daemon/probe_life.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/audit.h"
#include "daemon/daemon.h"
#include "daemon/debug.h"
#include "daemon/log.h"
#include "daemon/probe_spec.h"
#include "daemon/record.h"
#include "daemon/route.h"
#include "daemon/session.h"
#include "daemon/target.h"

/* A writer that was preempted in the middle of a record holds up the ring; so
 * long we wait for it before a probe ends without the rest. */
#define DRAIN_NS (2ull * 1000 * 1000 * 1000)

static struct probe *find(const struct target *target, uint32_t id)
{
	struct probe *probe = registry_find(&target->daemon->registry, id);

	return probe && probe->target == target ? probe : NULL;
}

static void *as_arg(uint32_t id)
{
	return (void *)(uintptr_t)id;
}

/* ---- the end
 * -------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
	struct probe *probe = handle->data;

	free(probe->encoded);
	free(probe);
}

/* Takes the probe out of everything; its memory goes with its timer. */
static void discard(struct probe *probe)
{
	struct target *target = probe->target;

	registry_remove(&target->daemon->registry, probe);
	TAILQ_REMOVE(&target->probes, probe, of_target);
	target->probe_count--;
	if (probe->state == PROBE_DRAINING)
		target->draining--;
	budget_give(&target->daemon->budget, probe->size);
	uv_close((uv_handle_t *)&probe->time_limit, on_timer_closed);
}

static void render_stopped(struct json_writer *w, const void *arg)
{
	const struct probe *probe = arg;
	bool limit = probe->end == PROBE_END_HITS ||
		     probe->end == PROBE_END_TIME ||
		     probe->end == PROBE_END_BUDGET;

	json_key(w, "state");
	json_string(w, limit ? "disabled" : "removed");
	json_key(w, "reason");
	json_string(w, probe_end_name(probe->end));
}

struct loss {
	enum loss_reason reason;
	uint64_t count;
};

static void render_loss(struct json_writer *w, const void *arg)
{
	const struct loss *loss = arg;

	json_key(w, "count");
	json_uint(w, loss->count);
	json_key(w, "reason");
	json_string(w, counters_loss_name(loss->reason));
}

/* Tells clients about captures that got lost since they were told last. */
static void tell_losses(struct probe *probe)
{
	const struct probe_stats *now = &probe->stats, *told = &probe->told;
	const struct loss losses[] = {
		{ LOSS_RING, now->lost_ring - told->lost_ring },
		{ LOSS_RATE, now->lost_rate - told->lost_rate },
		{ LOSS_SIZE, now->lost_size - told->lost_size },
		{ LOSS_CALLS, now->lost_calls - told->lost_calls },
	};

	probe->told = probe->stats;
	for (unsigned i = 0; i < sizeof(losses) / sizeof(*losses); i++) {
		if (losses[i].count == 0)
			continue;
		probe->target->daemon->counters.lost[losses[i].reason] +=
			losses[i].count;
		route_probe_render(probe, "lost", render_loss, &losses[i]);
	}
}

struct removal {
	const struct probe *probe;
	uint64_t lost_slow; /* by its owner */
};

static void render_removed(struct json_writer *w, const void *arg)
{
	const struct removal *removal = arg;

	json_key(w, "probe");
	json_uint(w, removal->probe->spec.id);
	probe_write_counts(w, removal->probe, removal->lost_slow);
}

static void fail_adder(struct probe *probe, const struct error *err)
{
	struct call *adder = probe->adder;

	probe->adder = NULL;
	if (adder)
		call_fail(adder, err);
}

/* It ended before it was set: nobody knows of it but who asked. */
static void fail_unset(struct probe *probe)
{
	struct error err = probe->target->failure;

	if (!err.code)
		error_set(&err, ERROR_NO_PROBE, "probe %u ended: %s",
			  probe->spec.id, probe_end_name(probe->end));
	fail_adder(probe, &err);
}

/* Writes the last records. */
static void tell_end(struct probe *probe)
{
	audit_probe(probe);
	tell_losses(probe);
	route_probe_render(probe, "probe", render_stopped, probe);
	route_probe_end(probe);
}

/* Writes the last records, then answers who waits for them. */
static void finish(struct probe *probe)
{
	struct target *target = probe->target;
	struct removal removal = { probe, 0 };
	struct call *call;

	if (probe->owner)
		removal.lost_slow = session_lost(probe->owner, probe->spec.id);
	if (probe->adder)
		fail_unset(probe);
	else
		tell_end(probe);
	while ((call = TAILQ_FIRST(&probe->removers))) {
		TAILQ_REMOVE(&probe->removers, call, waiting);
		call_answer(call, render_removed, &removal);
	}
	discard(probe);
	target_probe_gone(target);
}

void probe_life_end_all_now(struct target *target, enum probe_end why)
{
	struct probe *probe;

	while ((probe = TAILQ_FIRST(&target->probes))) {
		/* What it ended of before that stays the reason. */
		if (!probe_ending(probe))
			probe->end = why;
		finish(probe);
	}
}

void probe_life_progress(struct target *target)
{
	struct probe *probe, *next;
	uint64_t now;

	if (target->draining == 0)
		return;
	now = uv_hrtime();
	for (probe = TAILQ_FIRST(&target->probes); probe; probe = next) {
		next = TAILQ_NEXT(probe, of_target);
		if (probe->state == PROBE_DRAINING &&
		    (pump_reached(&target->pump, probe->mark) ||
		     now - probe->drain_since_ns > DRAIN_NS))
			finish(probe);
	}
}

/* The agent took the probe out, or never knew it: no record of it follows
 * those that are in the ring now. */
static void on_removed(struct control *control, void *arg,
		       const struct frame *answer, const struct error *err)
{
	struct target *target = control->owner;
	struct probe *probe = find(target, (uint32_t)(uintptr_t)arg);

	if (!probe || probe->state != PROBE_REMOVING || control->fd < 0)
		return;
	if (answer) {
		struct probe_stats stats;

		memcpy(&stats, answer->payload, sizeof(stats));
		probe_take_stats(probe, &stats);
	}
	probe->state = PROBE_DRAINING;
	probe->mark = pump_mark(&target->pump);
	probe->drain_since_ns = uv_hrtime();
	target->draining++;
	pump_kick(&target->pump);
}

void probe_life_end(struct probe *probe, enum probe_end why)
{
	struct target *target = probe->target;
	struct error err = ERROR_INIT;
	uint32_t id = probe->spec.id;

	if (probe_ending(probe))
		return;
	debug_end_probe(probe);
	probe->state = PROBE_REMOVING;
	probe->end = why;
	uv_timer_stop(&probe->time_limit);
	/* What was held back for its first state may go. */
	pump_kick(&target->pump);
	if (control_ask(&target->control, FRAME_PROBE_REMOVE,
			FRAME_PROBE_REMOVED, &id, sizeof(id), on_removed,
			as_arg(id), &err))
		target_agent_lost(target, err.msg);
}

void probe_life_remove(struct probe *probe, struct call *call)
{
	TAILQ_INSERT_TAIL(&probe->removers, call, waiting);
	probe_life_end(probe, PROBE_END_REMOVED);
}

/* ---- the beginning
 * ---------------------------------------------------------------- */

static void on_time_limit(uv_timer_t *timer)
{
	probe_life_end(timer->data, PROBE_END_TIME);
}

/* Takes "armed", "pending" or "disabled" from what the agent says. */
static bool take_state(struct probe *probe, const char *body, size_t length)
{
	char state[16];

	record_string(body, length, "state", state, sizeof(state));
	if (!strcmp(state, "armed"))
		probe->state = PROBE_ARMED;
	else if (!strcmp(state, "pending"))
		probe->state = PROBE_PENDING;
	else if (!strcmp(state, "disabled"))
		probe->state = PROBE_DISABLED;
	else
		return false;
	return true;
}

struct said {
	uint32_t probe;
	const char *body;
	size_t length;
};

/* The agent's members behind our own. */
static void render_said(struct json_writer *w, const void *arg)
{
	const struct said *said = arg;

	json_key(w, "probe");
	json_uint(w, said->probe);
	record_splice(w, said->body, said->length);
}

/* The first state: the answer, the record, then what was held back. */
static void first_state(struct probe *probe, const struct frame *answer)
{
	struct said said = { probe->spec.id, answer->payload, answer->length };
	struct call *adder = probe->adder;

	probe->adder = NULL;
	if (adder)
		call_answer(adder, render_said, &said);
	route_probe(probe, "probe", said.body, said.length);
	if (!probe_ending(probe) && probe->spec.limits.time_ms)
		uv_timer_start(&probe->time_limit, on_time_limit,
			       probe->spec.limits.time_ms, 0);
	pump_kick(&probe->target->pump);
}

static void on_added(struct control *control, void *arg,
		     const struct frame *answer, const struct error *err)
{
	struct target *target = control->owner;
	struct probe *probe = find(target, (uint32_t)(uintptr_t)arg);

	if (!probe || !probe->adder)
		return;
	if (answer && (record_check(answer->payload, answer->length) ||
		       (probe->state == PROBE_ADDING &&
			!take_state(probe, answer->payload, answer->length)))) {
		target_agent_lost(target, "malformed probe state");
		return;
	}
	if (answer) {
		first_state(probe, answer);
		return;
	}
	fail_adder(probe, err);
	if (probe->state != PROBE_ADDING)
		return;
	discard(probe);
	pump_kick(&target->pump);
	target_probe_gone(target);
}

/* Counts its memory, or says why it may not stay. */
static int charge(struct probe *probe, struct error *err)
{
	struct budget *budget = &probe->target->daemon->budget;

	probe->size = sizeof(*probe) + probe->encoded_size;
	if (!budget_fits(budget, 0, probe->size)) {
		error_set(err, ERROR_LIMIT, "no room for more probes now");
		return error_remedy(err, "remove some, or try again");
	}
	budget_take(budget, probe->size);
	return 0;
}

static struct probe *new_probe(struct target *target, struct call *call,
			       const struct probe_spec *spec, bool persist,
			       struct error *err)
{
	struct daemon *daemon = target->daemon;
	struct probe *probe = calloc(1, sizeof(*probe));

	error_set(err, ERROR_NO_MEMORY, "no memory for a probe");
	if (!probe)
		return NULL;
	probe->target = target;
	probe->owner = call->session;
	probe->persist = persist;
	probe->spec = *spec;
	probe->spec.id = registry_next_id(&daemon->registry);
	if (probe_keep_spec(probe) || charge(probe, err)) {
		free(probe->encoded);
		free(probe);
		return NULL;
	}
	error_clear(err);
	probe->adder = call;
	call->probe = probe->spec.id;
	TAILQ_INIT(&probe->removers);
	uv_timer_init(&daemon->loop, &probe->time_limit);
	probe->time_limit.data = probe;
	registry_add(&daemon->registry, probe);
	TAILQ_INSERT_TAIL(&target->probes, probe, of_target);
	target->probe_count++;
	return probe;
}

void probe_life_add(struct target *target, struct call *call,
		    const struct probe_spec *spec, bool persist)
{
	struct error err = ERROR_INIT;
	struct probe *probe = NULL;

	if (target->probe_count >= LIMIT_PROBES)
		error_set(&err, ERROR_LIMIT, "more than %d probes in %s",
			  LIMIT_PROBES, target->name);
	else
		probe = new_probe(target, call, spec, persist, &err);
	if (!probe) {
		call_fail(call, &err);
		return;
	}
	target_hold(target, call->session);
	if (probe->encoded_size &&
	    !control_ask(&target->control, FRAME_PROBE_ADD, FRAME_PROBE_STATE,
			 probe->encoded, (uint32_t)probe->encoded_size,
			 on_added, as_arg(probe->spec.id), &err))
		return;
	if (!probe->encoded_size)
		error_set(&err, ERROR_PARAMS, "the probe is too large");
	fail_adder(probe, &err);
	discard(probe);
	target_probe_gone(target);
}

/* ---- switching
 * --------------------------------------------------------------------- */

static void on_switched(struct control *control, void *arg,
			const struct frame *answer, const struct error *err)
{
	struct target *target = control->owner;
	struct call *call = arg;
	uint64_t id = 0;
	struct probe *probe;
	struct error gone = ERROR_INIT;
	struct said said;

	if (!answer) {
		call_fail(call, err);
		return;
	}
	params_uint(call->request.params, "probe", &id);
	probe = find(target, (uint32_t)id);
	if (!probe || probe_ending(probe)) {
		error_set(&gone, ERROR_NO_PROBE, "probe %u has ended",
			  (unsigned)id);
		call_fail(call, &gone);
		return;
	}
	if (record_check(answer->payload, answer->length) ||
	    !take_state(probe, answer->payload, answer->length)) {
		error_set(&gone, ERROR_AGENT, "malformed probe state");
		call_fail(call, &gone);
		target_agent_lost(target, gone.msg);
		return;
	}
	said = (struct said){ probe->spec.id, answer->payload, answer->length };
	call_answer(call, render_said, &said);
	route_probe(probe, "probe", said.body, said.length);
}

void probe_life_switch(struct probe *probe, struct call *call, bool enable)
{
	struct error err = ERROR_INIT;
	uint32_t id = probe->spec.id;

	if (probe_ending(probe))
		error_set(&err, ERROR_NO_PROBE, "probe %u has ended", id);
	else if (probe->state == PROBE_ADDING)
		error_set(&err, ERROR_BUSY, "probe %u is being set", id);
	else if (!control_ask(&probe->target->control,
			      enable ? FRAME_PROBE_ENABLE : FRAME_PROBE_DISABLE,
			      FRAME_PROBE_STATE, &id, sizeof(id), on_switched,
			      call, &err))
		return;
	call_fail(call, &err);
}

static void on_actions(struct control *control, void *arg,
		       const struct frame *answer, const struct error *err)
{
	struct target *target = control->owner;
	const struct call *call = arg;
	struct probe *probe;
	uint64_t id = 0;

	params_uint(call->request.params, "probe", &id);
	probe = find(target, (uint32_t)id);
	if (answer && probe)
		probe_keep_actions(probe, call->request.params);
	on_switched(control, arg, answer, err);
}

void probe_life_actions(struct probe *probe, struct call *call)
{
	struct error err = ERROR_INIT;
	char encoded[PROBE_SPEC_MAX];
	size_t size;

	if (probe->spec.kind != PROBE_BREAK)
		error_set(&err, ERROR_PARAMS,
			  "probe %u captures calls: it has no actions",
			  probe->spec.id);
	else if (probe_ending(probe))
		error_set(&err, ERROR_NO_PROBE, "probe %u has ended",
			  probe->spec.id);
	else if (probe->state == PROBE_ADDING)
		error_set(&err, ERROR_BUSY, "probe %u is being set",
			  probe->spec.id);
	else if ((size = probe_encode_actions(probe, call->request.params,
					      encoded, sizeof(encoded),
					      &err)) &&
		 !control_ask(&probe->target->control, FRAME_PROBE_ACTIONS,
			      FRAME_PROBE_STATE, encoded, (uint32_t)size,
			      on_actions, call, &err))
		return;
	call_fail(call, &err);
}

/* ---- what the agent says
 * ------------------------------------------------------------ */

/* The last hit may have stopped a thread, which stays so: the agent told that
 * before it told of the hit. */
static void end_by_hits(struct probe *probe)
{
	if (probe->target->state == TARGET_LIVE)
		control_catch_up(&probe->target->control);
	probe->used_up = true;
	probe_life_debugged(probe);
}

void probe_life_debugged(struct probe *probe)
{
	if (probe->used_up && !debug_holds(probe))
		probe_life_end(probe, PROBE_END_HITS);
}

/* The agent stopped the probe by itself. */
static void take_done(struct probe *probe, const char *body, size_t length)
{
	char reason[16];

	record_string(body, length, "reason", reason, sizeof(reason));
	if (!strcmp(reason, "time"))
		probe_life_end(probe, PROBE_END_TIME);
	else if (!strcmp(reason, "budget"))
		probe_life_end(probe, PROBE_END_BUDGET);
	else
		end_by_hits(probe);
}

static void take_record(struct probe *probe, const struct ring_item *item,
			const char *body)
{
	struct daemon *daemon = probe->target->daemon;

	switch (item->kind) {
	case RING_CALL:
	case RING_HIT:
	case RING_YIELD:
		probe->captures++;
		daemon->counters.records++;
		route_capture(probe, record_event(item->kind), body,
			      item->length);
		break;
	case RING_ERROR:
		route_capture(probe, record_event(item->kind), body,
			      item->length);
		break;
	case RING_PROBE:
		if (!probe_ending(probe) &&
		    take_state(probe, body, item->length))
			route_probe(probe, "probe", body, item->length);
		break;
	case RING_DONE:
		take_done(probe, body, item->length);
		break;
	}
}

enum pump_verdict probe_life_record(struct target *target,
				    const struct ring_item *item,
				    const char *body)
{
	struct probe *probe = find(target, item->probe);
	const char *why;

	/* A late record of a probe whose `end` is out: nobody may see it. */
	if (!probe)
		return PUMP_TAKEN;
	if (probe->state == PROBE_ADDING && target->state < TARGET_DEPARTING)
		return PUMP_HOLD;
	why = record_check(body, item->length);
	if (why) {
		if (probe->lost_invalid++ == 0)
			log_line("%s: probe %u: unfit record: %s", target->name,
				 probe->spec.id, why);
		target->daemon->counters.lost[LOSS_INVALID]++;
		return PUMP_TAKEN;
	}
	take_record(probe, item, body);
	return PUMP_TAKEN;
}

void probe_life_stats(struct target *target, const struct frame *pong)
{
	const char *next = pong->payload;
	unsigned count = pong->length / sizeof(struct probe_stats);

	for (unsigned i = 0; i < count; i++) {
		struct probe_stats stats;
		struct probe *probe;

		memcpy(&stats, next + i * sizeof(stats), sizeof(stats));
		probe = find(target, stats.probe);
		if (!probe || probe->state == PROBE_ADDING)
			continue;
		probe_take_stats(probe, &stats);
		tell_losses(probe);
	}
}
