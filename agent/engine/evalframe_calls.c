/* SPDX-License-Identifier: MIT */
#include "agent/engine/evalframe.h"

#include "agent/armed.h"
#include "agent/call.h"
#include "agent/engine/evalframe_lines.h"
#include "agent/engine/evalframe_running.h"
#include "agent/hit.h"
#include "agent/probe.h"
#include "agent/memory.h"

enum {
	BUCKETS = 256,
	VISITS_A_BLOCK = 64,
};

/* A frame in the shim. Not on the C stack, which greenlets move about. */
struct visit {
	struct visit *next;
	void *frame;
	bool paused;  /* the watch of its thread */
	bool returns; /* evalframe_returns() */
};

static struct visit *buckets[BUCKETS];
static struct visit *spare;

static struct visit **bucket_of(const void *frame)
{
	uintptr_t address = (uintptr_t)frame;

	return &buckets[(address >> 4 ^ address >> 12) % BUCKETS];
}

static struct visit *visit_new(void *frame)
{
	struct visit **bucket = bucket_of(frame);
	struct visit *visit = spare;

	if (!visit) {
		visit = memory_get(VISITS_A_BLOCK * sizeof *visit);
		if (!visit)
			return NULL;
		for (int i = 1; i < VISITS_A_BLOCK; i++)
			visit[i - 1].next = &visit[i];
	}
	spare = visit->next;
	visit->frame = frame;
	visit->paused = visit->returns = false;
	visit->next = *bucket;
	*bucket = visit;
	return visit;
}

static void visit_free(struct visit *visit)
{
	struct visit **link = bucket_of(visit->frame);

	while (*link && *link != visit)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = visit->next;
	visit->next = spare;
	spare = visit;
}

bool *evalframe_returns(const void *frame)
{
	struct visit *visit = *bucket_of(frame);

	while (visit && visit->frame != frame)
		visit = visit->next;
	return visit ? &visit->returns : NULL;
}

bool evalframe_in_shim(const void *frame)
{
	return evalframe_returns(frame) != NULL;
}

void evalframe_forget_all(void)
{
	for (int i = 0; i < BUCKETS; i++)
		buckets[i] = NULL;
	spare = NULL;
}

/* 3.7 and 3.8 pass no thread state to the evaluator. */
static void *frame_of(void *a, void *b)
{
	return py.minor < 9 ? a : b;
}

/* The entry of a frame's code, when what runs now is a call of it. */
static struct code *call_of(void *frame)
{
	struct code *code = code_find(frames_layout_code(frame));

	if (!code || !evalframe_frames->is_call(frame, code->flags))
		return NULL;
	return code;
}

/* What a breakpoint runs here is not the program's: its tracers do not see it,
 * as they do not see what runs for a line. */
static void hit(struct code *code, void *frame)
{
	void *thread = tstate_current();

	tstate_hush(thread, true);
	hit_call(code, frame);
	tstate_hush(thread, false);
}

/* Does code of the program run when a call of this begins or ends? */
static bool asks_repr(const struct code *code)
{
	for (int i = 0; i < code->probe_count; i++)
		if (code->probes[i]->spec.limits.repr)
			return true;
	return false;
}

static void begin_call(struct code *code, void *frame)
{
	void *thread = tstate_current();
	bool asks = asks_repr(code);

	if (asks)
		tstate_hush(thread, true);
	call_begin(code, frame);
	if (asks)
		tstate_hush(thread, false);
}

/* A call starts or goes on. Returns whether its lines are to be seen. */
static bool begin(void *frame)
{
	struct code *code = call_of(frame);
	bool fresh;

	/* A watched frame of this address ended unseen. */
	if (running_count)
		running_drop_frame(frame);
	if (!code || !code->armed || hit_busy())
		return false;
	fresh = evalframe_frames->fresh(frame);
	if (code->wants & CODE_WANTS_CALLS) {
		if (fresh)
			begin_call(code, frame);
		else
			call_resume(code, frame);
	}
	if (fresh && code->wants & CODE_WANTS_START)
		hit(code, frame);
	return lines_wanted(code);
}

/* After the hits: what else ran meanwhile may have switched the thread. */
static void switch_lines(struct visit *visit, bool on)
{
	void *thread = tstate_current();

	if (!on && !lines_count)
		return;
	visit->returns = lines_on(thread);
	lines_set(thread, on);
}

void *evalframe_before(void *a, void *b)
{
	void *frame = frame_of(a, b);
	struct visit *visit;
	bool lines;

	if (!callback_enter()) {
		evalframe_retreat();
		return NULL;
	}
	visit = visit_new(frame);
	lines = begin(frame);
	if (visit)
		switch_lines(visit, lines);
	if (visit && running_count && running_on(tstate_current())) {
		running_pause(tstate_current());
		visit->paused = true;
	}
	callback_leave();
	return visit;
}

/* The exception that ends a frame stays the thread's, as it is: 3.11 and
 * before may not have made an instance of it yet. */
static void raised(struct code *code, void *frame)
{
	struct py_error error;

	py_error_save(&error);
	call_raise(code, frame, error.type, error.value, error.traceback);
	py_error_restore(&error);
}

static void end(void *frame, struct object *result)
{
	struct code *code = call_of(frame);

	if (!code)
		return;
	if (!code->armed)
		call_forget(frame);
	else if (!(code->wants & CODE_WANTS_CALLS))
		return;
	else if (!result)
		raised(code, frame);
	else if (evalframe_frames->yielded(frame))
		call_suspend(code, frame, result);
	else
		call_return(code, frame, result);
}

static void end_quietly(void *frame, struct object *result)
{
	const struct code *code = call_of(frame);
	void *thread = tstate_current();
	bool asks = code && code->armed && asks_repr(code);

	if (asks)
		tstate_hush(thread, true);
	end(frame, result);
	if (asks)
		tstate_hush(thread, false);
}

void evalframe_after(void *a, void *b, void *arg, void *result)
{
	void *frame = frame_of(a, b);
	struct visit *visit = arg;

	if (!callback_enter())
		return;
	if (visit && visit->paused)
		running_resume(tstate_current());
	if (visit && (visit->returns || lines_count))
		lines_set(tstate_current(), visit->returns);
	if (visit)
		visit_free(visit);
	end_quietly(frame, result);
	callback_leave();
}
