/* SPDX-License-Identifier: MIT */
/*
 * engine_monitoring: sys.monitoring of CPython 3.12 and later (PEP 669).
 *
 * Once a probe was set, the start and the resumption of all code are watched
 * and answered with DISABLE where no probe matches, so that each location
 * costs one callback in its life. Code that is armed is watched for the rest
 * by itself; what can only be watched globally (unwinding, 3.12-3.14), only
 * while something is armed.
 */
#include "agent/engine/engine.h"

#include "agent/engine/frames_inner.h"
#include "agent/engine/monitoring_events.h"
#include "agent/engine/monitoring_proof.h"
#include "agent/engine/monitoring_revive.h"
#include "agent/engine/monitoring_tool.h"
#include "agent/fault.h"
#include "agent/frames_objects.h"
#include "agent/sys.h"

enum {
	LOCAL_UNWIND = 15, /* the first 3.N with a local PY_UNWIND */
	ASKING = TOOL_BIT(START) | TOOL_BIT(RESUME),
	UNWINDING = TOOL_BIT(UNWIND) | TOOL_BIT(THROW),
};

static struct {
	bool asking;		/* about code that was not seen before */
	unsigned watched;	/* globally, now */
	unsigned armed;		/* code objects */
	unsigned armed_suspend; /* of them, those that suspend */
} state;

/* The events that armed code is watched for by itself. */
static unsigned local_events(const struct code *code)
{
	unsigned events = TOOL_BIT(START);
	bool suspends = code->flags & CODE_SUSPENDS;

	if (code->wants & CODE_WANTS_LINES)
		events |= TOOL_BIT(LINE);
	if (!(code->wants & CODE_WANTS_CALLS))
		return events;
	events |= TOOL_BIT(RETURN);
	if (suspends)
		events |= TOOL_BIT(RESUME) | TOOL_BIT(YIELD);
	if (py.minor >= LOCAL_UNWIND) {
		events |= TOOL_BIT(UNWIND);
		if (suspends)
			events |= TOOL_BIT(THROW);
	}
	return events;
}

static unsigned global_events(void)
{
	unsigned events = state.asking ? ASKING : 0;

	if (py.minor >= LOCAL_UNWIND)
		return events;
	if (state.armed)
		events |= TOOL_BIT(UNWIND);
	if (state.armed_suspend)
		events |= TOOL_BIT(THROW);
	return events;
}

static void watch_globally(unsigned events)
{
	if (events != state.watched && tool_watch_all(events))
		state.watched = events;
}

static int monitoring_start(struct frame_error *err)
{
	memset(&state, 0, sizeof state);
	if (tool_take(err) < 0)
		return -1;
	if (!monitoring_events_register()) {
		tool_release();
		monitoring_events_release();
		fault_set(err, ERROR_ENGINE,
			  "the program refused the callbacks of sys.monitoring",
			  "");
		return fault_remedy(err, "an audit hook (sys.addaudithook) may "
					 "veto it; out of memory otherwise");
	}
	frames = monitoring_prove_frames() ? &frames_inner : &frames_objects;
	return 0;
}

/* Running calls and suspended generators need nothing more: the interpreter
 * changes the code under them at once. */
static void monitoring_arm(struct code *code)
{
	/* Fails only without memory; the caller takes it for armed. */
	monitoring_revive_code(code->object, local_events(code));
	if (code->armed)
		return;
	code->armed = true;
	state.armed++;
	state.armed_suspend += (code->flags & CODE_SUSPENDS) != 0;
	watch_globally(global_events());
}

static void monitoring_disarm(struct code *code)
{
	if (!code->armed)
		return;
	code->armed = false;
	state.armed--;
	state.armed_suspend -= (code->flags & CODE_SUSPENDS) != 0;
	tool_watch(code->object, 0);
	watch_globally(global_events());
}

static void revive(struct code *code, void *arg)
{
	if (code->armed)
		monitoring_revive_code(code->object, local_events(code));
}

/* While nothing is asked globally, what answered DISABLE can be revived one by
 * one; code that is armed meanwhile included. */
static void revive_wanted(void)
{
	state.asking = false;
	watch_globally(global_events());
	code_each(revive, NULL);
	monitoring_revive_heap();
	state.asking = true;
	watch_globally(global_events());
}

static void monitoring_rematch(void)
{
	monitoring_rematches++;
	if (!tool_alone()) {
		revive_wanted();
		return;
	}
	state.asking = true;
	watch_globally(global_events());
	tool_restart();
}

static void forget(struct code *code, void *arg)
{
	if (code->armed)
		tool_watch(code->object, 0);
	code->armed = false;
}

static void monitoring_stop(void)
{
	tool_watch_all(0);
	code_each(forget, NULL);
	tool_release();
	memset(&state, 0, sizeof state);
}

static bool monitoring_finish(void)
{
	return monitoring_events_release() && monitoring_proof_release();
}

const struct engine engine_monitoring = {
	.name = "monitoring",
	.first = 12,
	.last = 15,
	.start = monitoring_start,
	.arm = monitoring_arm,
	.disarm = monitoring_disarm,
	.rematch = monitoring_rematch,
	.stop = monitoring_stop,
	.finish = monitoring_finish,
};
