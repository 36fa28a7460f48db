/* SPDX-License-Identifier: MIT */
/*
 * thread: reads one thread, without stopping it where that gives a true
 * picture. A thread that waits in the kernel, by the kernel's word, at the
 * same place and without having run, before its stacks were read and after,
 * had that stack all the time.
 */
#include <string.h>
#include <time.h>

#include "injector/stack/reader.h"

#define LOOKS 4 /* until a thread held still while it was read */
/* Until those that were stopped wait again. */
#define SETTLE_LOOKS 20
#define SETTLE_US 200

/* Copies what the walker found to the picture's memory. */
static bool keep_frames(struct stack_reader *reader, struct reader_thread *to,
			const struct python_frames *found)
{
	size_t size = found->count * sizeof(*found->list);

	to->frames.list = arena_alloc(reader->arena, size);
	if (!to->frames.list)
		return false;
	if (found->list)
		memcpy(to->frames.list, found->list, size);
	to->frames.count = found->count;
	to->frames.truncated = found->truncated;
	return true;
}

static bool keep_native(struct stack_reader *reader, struct reader_thread *to,
			size_t count)
{
	size_t size = count * sizeof(*reader->native);
	struct unwind_frame *list;

	if (!count)
		return true;
	list = arena_alloc(reader->arena, size);
	if (!list)
		return false;
	memcpy(list, reader->native, size);
	to->native = list;
	to->native_count = count;
	return true;
}

/* Unwinds by registers, or by what the kernel says of a waiting thread; 0:
 * not down to the end of the stack. */
static size_t unwind(struct stack_reader *reader,
		     const struct kernel_thread *kernel,
		     const struct regs *regs)
{
	static const uint64_t nothing[6];
	struct regs position = { .size = sizeof(position.word) };
	bool whole;
	size_t count;

	if (!regs) {
		if (!kernel->waiting)
			return 0;
		arch.set_syscall(&position, kernel->pc, kernel->sp, 0, nothing);
	}
	count = unwind_frames(&reader->unwind, regs ? regs : &position, !regs,
			      reader->native, STACK_NATIVE_MAX, &whole);
	return whole ? count : 0;
}

/* What one look at a thread gave. */
struct look {
	struct python_frames python;
	size_t native;
	bool stable; /* Python's frames are one stack */
	bool still;  /* it did not run meanwhile */
};

/* A thread that waits is walked once: if it did not run meanwhile, that was
 * its stack. */
static void look_at(struct stack_reader *reader, struct reader_thread *thread,
		    struct look *look)
{
	bool native = reader->options->native != STACK_NATIVE_NONE;
	uint64_t state = thread->python.state;
	pid_t tid = thread->python.tid;
	bool walked;

	memset(look, 0, sizeof(*look));
	if (!tid || !kernel_look(reader->pid, tid, &thread->kernel))
		memset(&thread->kernel, 0, sizeof(thread->kernel));
	remote_forget(&reader->remote);
	walked = thread->kernel.waiting && state &&
		 walk_once(&reader->walker, state, &look->python);
	if (native)
		look->native = unwind(reader, &thread->kernel, NULL);
	look->still = tid && kernel_still(reader->pid, tid, &thread->kernel);
	if (!look->still)
		look->native = 0;
	look->stable = !state || (look->still && walked) ||
		       walk_stable(&reader->walker, state, &look->python);
}

/* A thread that is stopped cannot change: one walk, all registers. */
static void look_at_stopped(struct stack_reader *reader,
			    struct reader_thread *thread,
			    const struct regs *regs, struct look *look)
{
	memset(look, 0, sizeof(*look));
	remote_forget(&reader->remote);
	look->stable =
		!thread->python.state ||
		walk_once(&reader->walker, thread->python.state, &look->python);
	if (reader->options->native != STACK_NATIVE_NONE)
		look->native = unwind(reader, &thread->kernel, regs);
	look->still = true;
}

static bool keep_locals(struct stack_reader *reader, struct reader_thread *to)
{
	size_t count = to->frames.count;

	if (!reader->options->locals)
		return true;
	to->locals = arena_array(reader->arena, count, sizeof(*to->locals));
	to->local_count =
		arena_array(reader->arena, count, sizeof(*to->local_count));
	if (!to->locals || !to->local_count)
		return false;
	for (size_t i = 0; i < count; i++) {
		to->locals[i] =
			values_locals(&reader->values, &reader->codes,
				      &to->frames.list[i], &to->local_count[i]);
		if (!to->locals[i])
			return false;
	}
	return true;
}

static int keep(struct stack_reader *reader, struct reader_thread *thread,
		const struct look *look, struct error *err)
{
	if (!keep_frames(reader, thread, &look->python) ||
	    !keep_native(reader, thread, look->native) ||
	    !keep_locals(reader, thread))
		return error_set(err, ERROR_NO_MEMORY,
				 "the stacks are too large");
	return 0;
}

/* Stops a thread that runs, if that was asked for. False: it was not, or it
 * did not stop in time. */
static bool look_by_stopping(struct stack_reader *reader,
			     struct reader_thread *thread, struct look *look)
{
	pid_t tid = thread->python.tid;
	struct regs regs;

	if (reader->options->native != STACK_NATIVE_ALL || !tid ||
	    pause_thread(&reader->pause, tid, reader->options->stop_wait_ms,
			 NULL))
		return false;
	if (!pause_regs(&reader->pause, tid, &regs))
		return false;
	look_at_stopped(reader, thread, &regs, look);
	return true;
}

static int read_stopped(struct stack_reader *reader, size_t index,
			const struct regs *regs, struct error *err)
{
	struct reader_thread *thread = &reader->inside[index];
	struct look look;

	pause_look(&reader->pause, thread->python.tid, &thread->kernel);
	look_at_stopped(reader, thread, regs, &look);
	reader->shown[index].stable = look.stable;
	reader->shown[index].stopped = true;
	return keep(reader, thread, &look, err);
}

/* A thread of a core file is where it was, for ever. */
static int read_dead(struct stack_reader *reader, size_t index,
		     struct error *err)
{
	struct reader_thread *thread = &reader->inside[index];
	const struct regs *regs =
		postmortem_look(reader, thread->python.tid, &thread->kernel);
	struct look look;

	look_at_stopped(reader, thread, regs, &look);
	reader->shown[index].stable = look.stable;
	return keep(reader, thread, &look, err);
}

/* Looks until the thread held still, or two walks agree and no more can be
 * had without stopping it. */
static int read_running(struct stack_reader *reader, size_t index,
			struct error *err)
{
	struct reader_thread *thread = &reader->inside[index];
	bool stopped = false;
	struct look look;
	int failed;

	for (int i = 0; i < LOOKS; i++) {
		look_at(reader, thread, &look);
		if (look.still || (look.stable && !thread->kernel.waiting))
			break;
		remote_forget(&reader->remote);
	}
	if (!look.stable ||
	    (reader->options->native == STACK_NATIVE_ALL && !look.native))
		stopped = look_by_stopping(reader, thread, &look);
	reader->shown[index].stable = look.stable;
	reader->shown[index].stopped = stopped;
	failed = keep(reader, thread, &look, err);
	if (stopped)
		pause_end(&reader->pause);
	return failed;
}

bool reader_look(struct stack_reader *reader, size_t index)
{
	struct reader_thread *thread = &reader->inside[index];
	enum stack_native native = reader->options->native;
	struct look look = { .native = 0 };

	if (thread->python.state &&
	    !walk_once(&reader->walker, thread->python.state, &look.python))
		return false;
	if (native != STACK_NATIVE_NONE)
		look.native = unwind(reader, &thread->kernel, NULL);
	/* Its registers are needed, then. */
	if (native == STACK_NATIVE_ALL && !look.native)
		return false;
	return !keep(reader, thread, &look, NULL);
}

void reader_show_kernel(struct stack_reader *reader, size_t index)
{
	struct reader_thread *thread = &reader->inside[index];
	struct stack_thread *shown = &reader->shown[index];
	char text[64];

	if (!thread->kernel.state && thread->python.tid && !reader->core)
		(void)kernel_state(reader->pid, thread->python.tid,
				   &thread->kernel);
	shown->state = thread->kernel.state;
	if (shown->state == 'D' && !reader->core) {
		kernel_wchan(reader->pid, thread->python.tid, text,
			     sizeof(text));
		if (text[0])
			shown->wchan =
				arena_copy(reader->arena, text, strlen(text));
	}
	shown->syscall = thread->kernel.syscall;
	memcpy(shown->arguments, thread->kernel.argument,
	       sizeof(shown->arguments));
	shown->sp = thread->kernel.sp;
	shown->pc = thread->kernel.pc;
	shown->truncated = thread->frames.truncated;
}

int reader_read_thread(struct stack_reader *reader, size_t index,
		       struct error *err)
{
	struct reader_thread *thread = &reader->inside[index];
	struct regs regs;

	if (reader->core)
		return read_dead(reader, index, err);
	if (thread->python.tid &&
	    pause_regs(&reader->pause, thread->python.tid, &regs))
		return read_stopped(reader, index, &regs, err);
	return read_running(reader, index, err);
}

/* Is it back where it waited when it was stopped? */
static bool is_back(const struct stack_reader *reader,
		    struct reader_thread *thread)
{
	struct kernel_thread now;

	if (!kernel_look(reader->pid, thread->python.tid, &now) ||
	    now.state == 't' || !kernel_same_place(&thread->kernel, &now))
		return false;
	thread->kernel.slices = now.slices;
	return true;
}

void reader_settle(struct stack_reader *reader)
{
	const struct timespec pause = { .tv_nsec = SETTLE_US * 1000L };
	size_t first = 0;

	for (int i = 0; i < SETTLE_LOOKS && first < reader->count; i++) {
		if (i)
			nanosleep(&pause, NULL);
		while (first < reader->count &&
		       (!reader->inside[first].kernel.waiting ||
			is_back(reader, &reader->inside[first])))
			first++;
	}
	for (; first < reader->count; first++)
		if (reader->inside[first].kernel.waiting)
			(void)is_back(reader, &reader->inside[first]);
}
