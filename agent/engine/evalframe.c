/* SPDX-License-Identifier: MIT */
#include "agent/engine/evalframe.h"

#include "agent/armed.h"
#include "agent/engine/codefilter.h"
#include "agent/engine/engine.h"
#include "agent/engine/evalframe_guard.h"
#include "agent/engine/evalframe_lines.h"
#include "agent/engine/evalframe_proof.h"
#include "agent/engine/evalframe_running.h"
#include "agent/engine/evaluator.h"
#include "agent/fault.h"
#include "agent/hit.h"
#include "agent/match.h"

#define likely(x) __builtin_expect(!!(x), 1)

const struct frames_layout *evalframe_frames;

/* Statics may be read in a forked child. */
static struct hookpage *page;
static evaluator *entry, *shim, *previous;

/*
 * The hook. Whatever a function here leaves by is a jump: a call would keep
 * the agent's code on the stack of every frame begun meanwhile, and a main
 * loop never returns (tests/agent proves it on the disassembly).
 */

/* Asks about code that the filter does not know. */
static bool wanted(struct object *object, void *frame)
{
	struct code *code = code_find(object);

	if (!code) {
		struct object *globals =
			PY_FIELD(struct object *, frame, layout->frame_globals);

		code = match_code(object, globals);
	}
	if (!code || !code->armed) {
		codefilter_add(object);
		return false;
	}
	return evalframe_frames->is_call(frame, code->flags);
}

/* Where a frame goes on to that missed the filter's first way. */
static __attribute__((noinline)) evaluator *route(void *frame)
{
	struct object *object = frames_layout_code(frame);
	bool through_shim;

	if (!callback_enter()) {
		evalframe_retreat();
		return previous;
	}
	through_shim = !hit_busy() && !codefilter_find(object) &&
		       wanted(object, frame);
	callback_leave();
	return through_shim ? shim : previous;
}

static __attribute__((noinline)) struct object *unknown37(void *frame,
							  void *throwing,
							  int none)
{
	return route(frame)(frame, throwing, none);
}

static __attribute__((noinline)) struct object *unknown39(void *thread,
							  void *frame,
							  int throwing)
{
	return route(frame)(thread, frame, throwing);
}

static struct object *hook37(void *frame, void *throwing, int none)
{
	if (likely(codefilter_hit(frames_layout_code(frame))))
		return previous(frame, throwing, none);
	return unknown37(frame, throwing, none);
}

static struct object *hook39(void *thread, void *frame, int throwing)
{
	if (likely(codefilter_hit(frames_layout_code(frame))))
		return previous(thread, frame, throwing);
	return unknown39(thread, frame, throwing);
}

/* Does a call from this thread matter, whatever it calls? */
static bool has_watch(void *thread)
{
	return (running_on(thread) || lines_on(thread)) && !hit_busy();
}

static struct object *running37(void *frame, void *throwing, int none)
{
	evaluator *next = hook37;

	if (has_watch(tstate_current()))
		next = shim;
	return next(frame, throwing, none);
}

static struct object *running39(void *thread, void *frame, int throwing)
{
	evaluator *next = hook39;

	if (has_watch(thread))
		next = shim;
	return next(thread, frame, throwing);
}

void evalframe_choose_hook(void)
{
	evaluator *hook = py.minor < 9 ? hook37 : hook39;

	/* We left. */
	if (!page->post)
		return;
	if (running_count || lines_count)
		hook = py.minor < 9 ? running37 : running39;
	page->hook = (void *)hook;
}

void evalframe_retreat(void)
{
	evaluator_replace(entry, previous);
}

/* A page whose agent is gone: what it jumps to is what was before it. */
static bool page_of(struct hookpage *other, void *arg)
{
	void **evaluate = arg;

	if (hookpage_entry(other) != *evaluate)
		return false;
	if (hookpage_inherited(other))
		hookpage_leave(other);
	if (other->hook == other->previous)
		*evaluate = other->previous;
	return true;
}

static bool reap(struct hookpage *other, void *arg)
{
	hookpage_reap(other);
	return false;
}

/* The evaluator to go on with: what is there now, but for what agents before
 * us left behind (in a child of a process that was probed; or a tool that
 * chained our entry put it back). */
static evaluator *find_previous(void *interp)
{
	evaluator *now = evaluator_get(interp);
	void *beneath = (void *)now;

	while (hookpage_each(page_of, &beneath) && beneath != (void *)now) {
		evaluator_replace(now, (evaluator *)beneath);
		now = (evaluator *)beneath;
	}
	hookpage_each(reap, NULL);
	return now;
}

static int make_page(struct frame_error *err)
{
	page = hookpage_new((void *)previous, evalframe_before,
			    evalframe_after);
	if (!page) {
		fault_set(err, ERROR_ENGINE,
			  "the kernel gave no page for executable code", "");
		return fault_remedy(err, "a security module may forbid "
					 "anonymous code (SELinux execmem)");
	}
	entry = (evaluator *)hookpage_entry(page);
	shim = (evaluator *)hookpage_shim(page);
	return 0;
}

/* All interpreters of the process with the main one's evaluator: sub-
 * interpreters share it but where a tool put a hook of its own. */
static void install(void)
{
	/* A library that had to stay mapped may be entered again. */
	evalframe_forget_all();
	codefilter_clear();
	lines_start();
	evalframe_choose_hook();
	evaluator_replace(previous, entry);
}

static bool reach(void *interpreter)
{
	return evaluator_put(interpreter, previous, entry);
}

static void stop(void)
{
	if (!page)
		return;
	evaluator_replace(entry, previous);
	/* Another tool put its hook over ours: it will jump to our entry, or
	 * even put it back. */
	if (!evaluator_everywhere(previous))
		page->pinned = 1;
	running_drop_all();
	lines_stop();
	hookpage_leave(page);
}

/* Only the page can be on a stack, and it stays as long as it must. */
static bool finish(void)
{
	if (page) {
		running_drop_all();
		lines_finish();
		hookpage_reap(page);
	}
	page = NULL;
	evalframe_forget_all();
	return true;
}

static int start(struct frame_error *err)
{
	void *interp = evalframe_prove_thread(err);

	evalframe_frames =
		py.minor < 11 ? &frames_layout_legacy : &frames_layout_311;
	if (!interp || evaluator_check(interp, err) < 0 ||
	    evalframe_guard(err) < 0 || evalframe_prove_trace(err) < 0)
		return -1;
	frames = &evalframe_frames->ops;
	previous = find_previous(interp);
	if (make_page(err) < 0)
		return -1;
	if (evalframe_prove_frame(page, err) < 0) {
		stop();
		finish();
		return -1;
	}
	install();
	return 0;
}

static void arm(struct code *code)
{
	code->armed = true;
	codefilter_forget(code->object);
	if (code->wants & CODE_WANTS_CALLS)
		running_code(code->object, evalframe_in_shim);
	else
		running_drop_code(code->object);
	lines_settle();
}

static void disarm(struct code *code)
{
	code->armed = false;
	running_drop_code(code->object);
	lines_settle();
}

const struct engine engine_evalframe = {
	.name = "evalframe",
	.first = 7,
	.last = 11,
	.start = start,
	.arm = arm,
	.disarm = disarm,
	.rematch = codefilter_clear,
	.settle = lines_settle,
	.reach = reach,
	.stop = stop,
	.finish = finish,
};
