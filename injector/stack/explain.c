/* SPDX-License-Identifier: MIT */
#include "injector/stack/explain.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "injector/stack/idle.h"
#include "injector/stack/wait_call.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

/* A thread that is asked for the GIL gives it up within 5 ms, unless it does
 * not come back to Python (sys.getswitchinterval). */
#define GIL_PATIENCE_MS 15
#define GIL_LOOKS 6 /* while one may want it that has to wait for a CPU */

#define IDLE_THREADS 1024u /* asked for how long they did not run */

void draft_text(struct wait_draft *draft, const char *name, const char *text)
{
	if (text && draft->facts < EXPLAIN_FACTS)
		draft->fact[draft->facts++] =
			(struct stack_fact){ .name = name, .text = text };
}

void draft_number(struct wait_draft *draft, const char *name, int64_t number)
{
	if (draft->facts < EXPLAIN_FACTS)
		draft->fact[draft->facts++] =
			(struct stack_fact){ .name = name, .number = number };
}

size_t explain_thread_of(const struct explain *explain, pid_t tid)
{
	for (size_t i = 0; i < explain->reader->count; i++)
		if (tid && explain->reader->shown[i].tid == tid)
			return i;
	return STACK_NO_THREAD;
}

/* Modules whose frames are the means of a wait, not its reason. */
static bool is_means(const struct stack_frame *frame)
{
	static const char *const modules[] = {
		"threading", "queue",		"subprocess",
		"selectors", "socket",		"ssl",
		"asyncio",   "multiprocessing", "concurrent.futures",
		"importlib",
	};

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		size_t size = strlen(modules[i]);

		if (frame->module &&
		    !strncmp(frame->module, modules[i], size) &&
		    (!frame->module[size] || frame->module[size] == '.'))
			return true;
	}
	return false;
}

const struct python_frames *explain_frames(const struct explain *explain,
					   size_t index)
{
	const struct stack_reader *reader = explain->reader;

	return index < reader->count
		       ? &reader->inside[index].frames
		       : &reader->tasks.list[index - reader->count]
				  .chain.frames;
}

static const struct stack_frame *own_frame(const struct stack_frame *list,
					   size_t count)
{
	const struct stack_frame *first = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct stack_frame *frame = &list[i];

		if (frame->kind != STACK_FRAME_PYTHON)
			continue;
		if (!is_means(frame))
			return frame;
		if (!first)
			first = frame;
	}
	return first;
}

static const char *place_text(const struct explain *explain,
			      const struct stack_frame *frame)
{
	const char *text = NULL;

	if (frame)
		text = arena_printf(explain->arena, "%s at %s:%d",
				    frame->function ? frame->function : "?",
				    frame->file ? frame->file : "?",
				    frame->line);
	return text ? text : "no Python code";
}

const char *explain_place(const struct explain *explain, size_t thread)
{
	const struct stack_thread *shown = &explain->reader->shown[thread];

	return place_text(explain,
			  own_frame(shown->frames, shown->frame_count));
}

const char *explain_task_text(const struct explain *explain, size_t task)
{
	const struct stack_task *shown = &explain->reader->shown_tasks[task];
	const char *place = place_text(
		explain, own_frame(shown->frames, shown->frame_count));
	const char *text =
		shown->name ? arena_printf(explain->arena, "task %s (%s)",
					   shown->name, place)
			    : arena_printf(explain->arena, "task 0x%llx (%s)",
					   (unsigned long long)shown->address,
					   place);

	return text ? text : "a task";
}

const char *explain_thread_text(const struct explain *explain, size_t thread)
{
	const struct stack_thread *shown = &explain->reader->shown[thread];
	const char *text =
		arena_printf(explain->arena, "thread %d %s (%s)", shown->tid,
			     shown->name && shown->name[0] ? shown->name : "-",
			     explain_place(explain, thread));

	return text ? text : "a thread";
}

/* ---- waits
 * -------------------------------------------------------------------- */

const struct stack_wait *explain_keep(const struct explain *explain,
				      const struct wait_draft *draft)
{
	struct stack_wait *wait = arena_alloc(explain->arena, sizeof(*wait));
	struct stack_fact *facts =
		arena_array(explain->arena, draft->facts, sizeof(*facts));

	if (!wait || !facts)
		return NULL;
	memcpy(facts, draft->fact, draft->facts * sizeof(*facts));
	*wait = (struct stack_wait){ .what = draft->what,
				     .object = draft->object,
				     .owner = draft->owner,
				     .proof = draft->proof,
				     .facts = facts,
				     .fact_count = draft->facts };
	return wait;
}

static bool keep_wait(struct explain *explain, size_t index,
		      const struct wait_draft *draft)
{
	const struct stack_wait *wait = explain_keep(explain, draft);

	explain->reader->shown[index].wait = wait;
	return wait != NULL;
}

/* What was found out about a thread holds if it waits where it waited. */
static void doubt(struct explain *explain, size_t index,
		  struct wait_draft *draft)
{
	const struct reader_thread *thread = &explain->reader->inside[index];
	struct kernel_thread now;

	if (draft->proof == STACK_UNKNOWN || explain->reader->core)
		return;
	if (kernel_look(explain->reader->pid, thread->python.tid, &now) &&
	    kernel_same(&thread->kernel, &now))
		return;
	/* The GIL is waited for in steps of some milliseconds. */
	if (!strcmp(draft->what, "gil"))
		return;
	draft->proof = STACK_UNKNOWN;
	draft->owner = STACK_NO_THREAD;
	explain->about[index].ended = false;
}

static bool explain_wait(struct explain *explain, size_t index)
{
	const struct reader_thread *thread = &explain->reader->inside[index];
	struct wait_draft draft = { .owner = STACK_NO_THREAD };

	if (!thread->kernel.waiting)
		return true;
	if (thread->kernel.syscall == SYS_futex)
		wait_of_futex(explain, index, &draft);
	else
		wait_of_syscall(explain, index, &draft);
	if (!draft.what)
		return true;
	draft_text(&draft, "call", wait_call_text(explain, index));
	doubt(explain, index, &draft);
	return keep_wait(explain, index, &draft);
}

/* ---- the GIL
 * ------------------------------------------------------------------- */

size_t explain_gil_holder(const struct explain *explain, uint64_t gil)
{
	const struct python *python = explain->python;
	int32_t locked;

	if (!gil ||
	    !remote_i32(python->remote, gil + AT(gil_locked), &locked) ||
	    locked != 1)
		return STACK_NO_THREAD;
	return reader_find_state(
		explain->reader,
		remote_pointer(python->remote, gil + AT(gil_last_holder)));
}

static bool waits_for_gil(const struct explain *explain,
			  const struct kernel_thread *thread)
{
	const struct stack_gil *gil = &explain->reader->picture->gil;

	return thread->waiting && thread->syscall == SYS_futex &&
	       thread->argument[0] - gil->address <
		       (uint64_t)explain->python->offsets.gil_size;
}

/* Those that wait for it look every few milliseconds whether they get it, and
 * on a busy machine wait for a CPU to do so: seen as running, they may well
 * be such. They are looked at once more. */
static bool find_waiters(struct explain *explain, bool *ret_perhaps,
			 bool *ret_full)
{
	struct stack_reader *reader = explain->reader;
	bool found = false;

	*ret_perhaps = false;
	for (size_t i = 0; i < reader->count; i++) {
		struct reader_thread *thread = &reader->inside[i];
		struct kernel_thread now;

		if (waits_for_gil(explain, &thread->kernel)) {
			found = true;
			continue;
		}
		if (thread->kernel.waiting || !thread->python.state ||
		    i == reader->picture->gil.holder)
			continue;
		*ret_perhaps = true;
		if (!kernel_look(reader->pid, thread->python.tid, &now) ||
		    !waits_for_gil(explain, &now))
			continue;
		found = true;
		thread->kernel = now;
		reader->shown[i].state = now.state;
		*ret_full |= !explain_wait(explain, i);
	}
	return found;
}

/* Looks at a GIL that others want: who holds it longer than Python lets it be
 * held. False: no memory. */
static bool watch_gil(struct explain *explain)
{
	const struct python *python = explain->python;
	const struct stack_gil *gil = &explain->reader->picture->gil;
	struct timespec patience = { .tv_nsec = GIL_PATIENCE_MS * 1000000L };
	bool perhaps, full = false, wanted;

	if (!gil->known || gil->holder == STACK_NO_THREAD ||
	    explain->reader->core)
		return true;
	wanted = find_waiters(explain, &perhaps, &full);
	for (unsigned i = 1; (wanted || perhaps) && i <= GIL_LOOKS; i++) {
		nanosleep(&patience, NULL);
		remote_forget(python->remote);
		if (explain_gil_holder(explain, gil->address) != gil->holder ||
		    remote_pointer(python->remote,
				   gil->address + AT(gil_switch)) !=
			    gil->switches)
			break;
		wanted = wanted || find_waiters(explain, &perhaps, &full);
		if (!wanted)
			continue;
		explain->gil_unchanged_ms = (uint64_t)i * GIL_PATIENCE_MS;
		break;
	}
	return !full;
}

/* A stop of ours made a thread run. */
static void measure_idle(const struct stack_reader *reader)
{
	for (size_t i = 0;
	     !reader->core && i < reader->count && i < IDLE_THREADS; i++) {
		struct stack_thread *shown = &reader->shown[i];

		if (shown->tid && shown->state && shown->state != 'R' &&
		    !shown->stopped)
			shown->idle_known = idle_read(
				reader->pid, shown->tid,
				reader->inside[i].kernel.cpu, &shown->idle_ns);
	}
}

int stack_explain(struct stack_reader *reader, struct error *err)
{
	struct explain explain = { .reader = reader,
				   .python = &reader->runtime.python,
				   .arena = reader->arena };
	bool done;

	explain.about =
		arena_array(reader->arena, reader->count + reader->tasks.count,
			    sizeof(*explain.about));
	done = explain.about != NULL;
	remote_forget(&reader->remote);
	for (size_t i = 0; done && i < reader->count; i++)
		done = explain_wait(&explain, i);
	done = done && explain_tasks(&explain);
	if (done) {
		measure_idle(reader);
		done = watch_gil(&explain) && explain_verdicts(&explain);
	}
	descriptors_release(&explain.descriptors);
	return done ? 0 : error_set(err, ERROR_NO_MEMORY, "why threads wait");
}
