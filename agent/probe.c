/* SPDX-License-Identifier: MIT */
#include "agent/probe.h"

#include "agent/budget.h"
#include "agent/code.h"
#include "agent/fault.h"
#include "agent/frames.h"
#include "agent/hit.h"
#include "agent/memory.h"
#include "agent/record.h"
#include "agent/script.h"
#include "agent/sys.h"

static struct probe *table[LIMIT_PROBES];
static int count;

struct probe *probe_find(uint32_t id)
{
	for (int i = 0; i < count; i++)
		if (table[i]->spec.id == id)
			return table[i];
	return NULL;
}

static int add_script(struct probe *probe, const struct probe_spec *spec,
		      struct frame_error *err)
{
	probe->script = memory_get(sizeof *probe->script);
	if (!probe->script)
		return fault_set(err, ERROR_NO_MEMORY,
				 "the agent's memory is used up", "");
	if (script_compile(probe->script, spec, err) == 0) {
		if (spec->kind == PROBE_BREAK)
			budget_watch(true);
		return 0;
	}
	memory_put(probe->script, sizeof *probe->script);
	probe->script = NULL;
	return -1;
}

static void drop_script(struct probe *probe)
{
	struct script *script = probe->script;

	hit_release_plans(probe);
	probe->script = NULL;
	if (!script)
		return;
	if (probe->spec.kind == PROBE_BREAK)
		budget_watch(false);
	script_release(script);
	memory_put(script, sizeof *script);
}

struct probe *probe_add(const struct probe_spec *spec, struct frame_error *err)
{
	struct probe *probe;

	if (probe_find(spec->id)) {
		fault_set(err, ERROR_BUSY, "this probe is set already", "");
		return NULL;
	}
	if (count == LIMIT_PROBES) {
		fault_set(err, ERROR_LIMIT, "too many probes in this process",
			  "");
		fault_remedy(err, "remove one of them: nopdb rm ID");
		return NULL;
	}
	probe = memory_get(sizeof *probe);
	if (!probe) {
		fault_set(err, ERROR_NO_MEMORY, "the agent's memory is used up",
			  "");
		fault_remedy(err, "remove probes that are not needed, or "
				  "choose a narrower location");
		return NULL;
	}
	probe->spec = *spec;
	probe->spec.script = (struct probe_script){ 0 };
	if ((spec->kind == PROBE_BREAK || spec->script.thread) &&
	    add_script(probe, spec, err) < 0) {
		memory_put(probe, sizeof *probe);
		return NULL;
	}
	probe->runs_code = probe_asks(probe);
	if (probe->runs_code)
		budget_watch(true);
	probe->enabled = true;
	table[count++] = probe;
	return probe;
}

void probe_free(struct probe *probe)
{
	for (int i = 0; i < count; i++) {
		if (table[i] != probe)
			continue;
		table[i] = table[--count];
		drop_script(probe);
		py_drop(probe->function);
		py_drop(probe->instance);
		if (probe->runs_code)
			budget_watch(false);
		memory_put(probe, sizeof *probe);
		return;
	}
}

void probe_free_all(void)
{
	while (count)
		probe_free(table[count - 1]);
}

int probe_count(void)
{
	return count;
}

struct probe *probe_at(int index)
{
	return table[index];
}

/* Is this second's allowance not yet used up? Counts against it. */
static bool within_rate(struct probe *probe)
{
	uint64_t rate = probe->spec.limits.rate;
	uint64_t second;

	if (!rate)
		return true;
	second = sys_monotonic() / 1000000000u;
	if (second != probe->rate_second) {
		probe->rate_second = second;
		probe->rate_count = 0;
	}
	if (probe->rate_count >= rate)
		return false;
	probe->rate_count++;
	return true;
}

/* Does the end of a call decide whether it is captured? */
static bool filtered(const struct probe_limits *limits)
{
	return limits->min_duration_ns || limits->only_exceptions;
}

bool probe_instance_fits(const struct probe *probe, const struct code *code,
			 void *frame)
{
	struct object *first;

	if (!probe->instance)
		return true;
	if (!code->variable_count)
		return false;
	first = frames->local(frame, code, 0);
	/* The frame has another reference. */
	py_drop(first);
	return first == probe->instance;
}

bool probe_turn(struct probe *probe)
{
	const struct probe_limits *limits = &probe->spec.limits;
	uint64_t n;

	if (probe->script && !script_thread_fits(probe->script))
		return false;
	n = ++probe->passes;
	if (n <= limits->after)
		return false;
	return limits->every <= 1 || (n - limits->after) % limits->every == 0;
}

/* Actions may let other threads run. */
static bool has_place(const struct probe *probe)
{
	uint64_t most = probe->spec.limits.hits;

	return !most || probe->captures + probe->running < most;
}

bool probe_admit(struct probe *probe)
{
	if (!probe->enabled || probe->done || !has_place(probe))
		return false;
	if (!filtered(&probe->spec.limits) && !within_rate(probe)) {
		probe->lost_rate++;
		return false;
	}
	probe->hits++;
	return true;
}

bool probe_take(struct probe *probe)
{
	if (!probe->enabled || probe->done)
		return false;
	if (filtered(&probe->spec.limits) && !within_rate(probe)) {
		probe->lost_rate++;
		return false;
	}
	return true;
}

bool probe_admit_yield(struct probe *probe)
{
	if (!probe->enabled || probe->done)
		return false;
	if (within_rate(probe))
		return true;
	probe->lost_rate++;
	return false;
}

void probe_captured(struct probe *probe)
{
	static const char reason[] = "{\"reason\":\"hits\"}";
	uint64_t most = probe->spec.limits.hits;

	probe->captures++;
	if (!most || probe->captures < most || probe->done)
		return;
	probe->done = true;
	record_put(RING_DONE, probe->spec.id, reason, sizeof reason - 1);
}

static void count_up(uint32_t *counter)
{
	if (*counter != UINT32_MAX)
		++*counter;
}

void probe_lost_call(struct probe *probe)
{
	count_up(&probe->lost_calls);
}

void probe_cut(struct probe *probe)
{
	count_up(&probe->cut);
}

void probe_stats(const struct probe *probe, struct probe_stats *ret_stats)
{
	*ret_stats = (struct probe_stats){
		.probe = probe->spec.id,
		.locations = probe->locations,
		.hits = probe->hits,
		.captures = probe->captures,
		.lost_ring = probe->lost_ring,
		.lost_rate = probe->lost_rate,
		.lost_size = probe->lost_size,
		.lost_calls = probe->lost_calls,
		.cut = probe->cut,
	};
}
