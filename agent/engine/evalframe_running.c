/* SPDX-License-Identifier: MIT */
#include "agent/engine/evalframe_running.h"

#include "agent/armed.h"
#include "agent/call.h"
#include "agent/engine/evalframe.h"
#include "agent/engine/frames_layout.h"
#include "agent/memory.h"

enum {
	PROFILE_RETURN = 3, /* PyTrace_RETURN */
	RUNNINGS = 1024,    /* of a deeper recursion the rest is not seen */
};

struct running {
	struct running *next;
	struct runner *runner;
	struct object *code; /* borrowed: its struct code holds it */
	void *frame;
};

/* A thread with watched frames. */
struct runner {
	struct runner *next;
	void *thread;
	py_tracefunc *original; /* the program's, NULL: none */
	int frames;
};

int running_count;
static struct running *runnings;
static struct runner *runners;

static struct runner *runner_find(const void *thread)
{
	struct runner *runner = runners;

	while (runner && runner->thread != thread)
		runner = runner->next;
	return runner;
}

static struct runner *runner_make(void *thread)
{
	struct runner *runner = runner_find(thread);

	if (runner)
		return runner;
	runner = memory_get(sizeof *runner);
	if (!runner)
		return NULL;
	runner->thread = thread;
	runner->next = runners;
	runners = runner;
	return runner;
}

static void runner_free(struct runner *runner)
{
	struct runner **link = &runners;

	while (*link != runner)
		link = &(*link)->next;
	*link = runner->next;
	memory_put(runner, sizeof *runner);
}

void running_pause(void *thread)
{
	struct runner *runner = runner_find(thread);

	if (running_on(thread))
		tstate_set_profile(thread, runner ? runner->original : NULL);
}

/* The program may have set another profile function in the meantime. */
void running_resume(void *thread)
{
	struct runner *runner = runner_find(thread);

	if (!runner || running_on(thread))
		return;
	runner->original = tstate_profile(thread);
	tstate_set_profile(thread, running_profile);
}

static int is_thread(void *thread, void *arg)
{
	return thread == arg;
}

/* Ends one watch; with the last one of a thread that still lives, the thread's
 * own profile function comes back. */
static void drop(struct running **link)
{
	struct running *running = *link;
	struct runner *runner = running->runner;

	*link = running->next;
	memory_put(running, sizeof *running);
	running_count--;
	if (--runner->frames > 0)
		return;
	if (tstate_each(is_thread, runner->thread) &&
	    running_on(runner->thread))
		tstate_set_profile(runner->thread, runner->original);
	runner_free(runner);
	if (!running_count)
		evalframe_choose_hook();
}

static void drop_where(bool (*chosen)(const struct running *, const void *),
		       const void *arg)
{
	struct running **link = &runnings;

	while (*link) {
		if (chosen(*link, arg))
			drop(link);
		else
			link = &(*link)->next;
	}
}

static bool has_code(const struct running *running, const void *code)
{
	return running->code == code;
}

static bool has_frame(const struct running *running, const void *frame)
{
	return running->frame == frame;
}

static bool any(const struct running *running, const void *arg)
{
	return true;
}

/* Threads end without a word; a thread state's address may be used again. */
static bool of_dead_thread(const struct running *running, const void *arg)
{
	return !tstate_each(is_thread, running->runner->thread);
}

void running_drop_code(const struct object *code)
{
	drop_where(has_code, code);
}

void running_drop_frame(const void *frame)
{
	drop_where(has_frame, frame);
}

static int sweep(void *thread, void *arg)
{
	if (running_on(thread))
		tstate_set_profile(thread, NULL);
	return 0;
}

void running_drop_all(void)
{
	drop_where(any, NULL);
	tstate_each(sweep, NULL);
}

static bool running_frame(const void *frame)
{
	const struct running *running = runnings;

	while (running && running->frame != frame)
		running = running->next;
	return running != NULL;
}

struct search {
	struct object *code;
	bool (*skip)(const void *frame);
	void *thread;
};

static int consider(struct object *code, int lasti, void *frame, void *arg)
{
	struct search *search = arg;
	struct runner *runner;
	struct running *running;

	if (code != search->code || search->skip(frame) || running_frame(frame))
		return 0;
	if (running_count == RUNNINGS)
		return -1;
	runner = runner_make(search->thread);
	running = runner ? memory_get(sizeof *running) : NULL;
	if (!running) {
		if (runner && !runner->frames)
			runner_free(runner);
		return -1;
	}
	running->runner = runner;
	running->code = code;
	running->frame = frame;
	running->next = runnings;
	runnings = running;
	runner->frames++;
	running_count++;
	running_resume(search->thread);
	return 0;
}

static int consider_thread(void *thread, void *arg)
{
	struct search *search = arg;

	search->thread = thread;
	frames_layout_chain(tstate_frame(thread), FRAMES_DEEPEST, consider,
			    search);
	return 0;
}

void running_code(struct object *code, bool (*skip)(const void *frame))
{
	struct search search = { .code = code, .skip = skip };

	drop_where(of_dead_thread, NULL);
	tstate_each(consider_thread, &search);
	if (running_count)
		evalframe_choose_hook();
}

/* A watched frame ends, or a generator's yields: from then on the hook sees
 * it. arg NULL: by an exception, which CPython keeps to itself. */
static void ended(void *frame, struct object *value)
{
	struct object *object = frames_layout_code(frame);
	struct code *code = code_find(object);
	bool goes_on = value && evalframe_frames->yielded(frame);

	running_drop_frame(frame);
	if (!code || !code->armed)
		return;
	if (goes_on)
		call_suspend(code, frame, value);
	else if (value)
		call_return(code, frame, value);
	else
		call_raise(code, frame, NULL, NULL, NULL);
}

/* Returns the function to go on with. */
static py_tracefunc *on_event(struct object *frame_object, int what,
			      struct object *value)
{
	void *thread = tstate_current();
	struct runner *runner = runner_find(thread);
	py_tracefunc *original = runner ? runner->original : NULL;
	void *frame;

	if (!callback_enter()) {
		/* A child after fork: nobody will take it away. */
		if (running_on(thread))
			tstate_set_profile(thread, original);
		return original;
	}
	frame = evalframe_frames->ops.of_object(frame_object);
	if (what == PROFILE_RETURN && running_frame(frame))
		ended(frame, value);
	callback_leave();
	return original;
}

int running_profile(struct object *self, struct object *frame, int what,
		    struct object *arg)
{
	py_tracefunc *original = on_event(frame, what, arg);

	if (!original)
		return 0;
	return original(self, frame, what, arg);
}
