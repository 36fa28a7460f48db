/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "injector/admission.h"
#include "injector/injector.h"
#include "injector/stack/explain.h"
#include "injector/target/beginning.h"
#include "injector/target/process.h"
#include "injector/target/version.h"

#define STOP_ALL_MS 500u
#define SENSE_MS 500u

static void reader_release(struct stack_reader *reader)
{
	pause_release(&reader->pause);
	reader_unwatch(reader);
	unwind_release(&reader->unwind);
	memory_release(&reader->memory);
	free(reader->native);
	names_release(&reader->names);
	walker_release(&reader->walker);
	codes_release(&reader->codes);
	remote_release(&reader->remote);
	modules_release(&reader->modules);
	maps_release(&reader->maps);
}

static int open_native(struct stack_reader *reader, struct error *err)
{
	if (reader->options->native == STACK_NATIVE_NONE)
		return 0;
	reader->native = calloc(STACK_NATIVE_MAX, sizeof(*reader->native));
	if (!reader->native)
		return error_set(err, ERROR_NO_MEMORY, "native frames");
	if (memory_init(&reader->memory, reader->pid, err) ||
	    unwind_init(&reader->unwind, &reader->modules, &reader->memory,
			err) ||
	    names_init(&reader->names, reader->pid, &reader->modules,
		       &reader->maps, err))
		return -1;
	if (reader->core) {
		reader->memory.source = reader->remote.source;
		reader->memory.arg = reader->remote.arg;
	}
	reader->frames.names = &reader->names;
	reader->frames.unwind = &reader->unwind;
	unwind_warm(&reader->unwind);
	return 0;
}

static int open_live(struct stack_reader *reader, struct error *err)
{
	reader->program = process_program(reader->pid);
	if (maps_read(reader->pid, &reader->maps, err) ||
	    modules_read(reader->pid, &reader->modules, err) ||
	    remote_init(&reader->remote, reader->pid, err))
		return -1;
	return pause_init(&reader->pause, reader->pid, err);
}

/* Did it begin, or was it forked, within the last second? */
static bool is_young(const struct stack_reader *reader)
{
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	struct procfs_stat stat;
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return !reader->core && procfs_stat(reader->pid, &stat) &&
	       stat.start_time + ticks >= (uint64_t)now.tv_sec * ticks;
}

/* A process so young may make sense soon. */
static int find_runtime(struct stack_reader *reader, struct error *err)
{
	struct deadline deadline = deadline_in_ms(SENSE_MS);

	while (runtime_find(&reader->runtime, &reader->remote, &reader->modules,
			    &reader->maps, err)) {
		if (!err || err->code != ERROR_SYSTEM || !is_young(reader) ||
		    !deadline_wait(&deadline))
			return -1;
		remote_forget(&reader->remote);
	}
	return 0;
}

static int reader_open(struct stack_reader *reader, struct error *err)
{
	struct python *python = &reader->runtime.python;

	if (reader->core ? postmortem_open(reader, err)
			 : open_live(reader, err))
		return -1;
	if (find_runtime(reader, err))
		return reader->core
			       ? -1
			       : beginning_lacks(reader->pid, reader->program,
						 &reader->modules, err);
	if (codes_init(&reader->codes, python, reader->arena, err) ||
	    walker_init(&reader->walker, &reader->codes, STACK_FRAMES_MAX, err))
		return -1;
	reader->frames.codes = &reader->codes;
	reader->frames.arena = reader->arena;
	values_init(&reader->values, python, reader->arena, reader->options);
	return open_native(reader, err);
}

static int read_threads(struct stack_reader *reader, struct error *err)
{
	reader_read_waiting(reader);
	for (size_t i = 0; i < reader->count; i++) {
		if (reader->inside[i].read)
			continue;
		if (deadline_passed(&reader->deadline))
			return error_set(err, ERROR_TIMEOUT,
					 "reading its stacks took more than "
					 "%u s",
					 READER_SECONDS);
		if (reader_read_thread(reader, i, err))
			return -1;
	}
	return 0;
}

static int show_threads(struct stack_reader *reader, struct error *err)
{
	for (size_t i = 0; i < reader->count; i++) {
		struct reader_thread *thread = &reader->inside[i];
		struct frames_input input = {
			.python = &thread->frames,
			.native = thread->native,
			.native_count = thread->native_count,
			.locals = thread->locals,
			.local_count = thread->local_count,
		};

		if (!frames_show(&reader->frames, &input, &reader->shown[i]))
			return error_set(err, ERROR_NO_MEMORY,
					 "the stacks are too large");
	}
	return tasks_show(reader) && greenlets_show(reader)
		       ? 0
		       : error_set(err, ERROR_NO_MEMORY,
				   "the tasks are too many");
}

/* locked is -1 before there is a GIL; the last holder may be gone. */
static void read_gil(struct stack_reader *reader)
{
	const struct python *python = &reader->runtime.python;
	struct remote *remote = &reader->remote;
	struct stack_gil *gil = &reader->picture->gil;
	uint64_t interpreter = runtime_main_interpreter(&reader->runtime);
	int32_t locked;

	gil->holder = STACK_NO_THREAD;
	gil->address = runtime_gil(&reader->runtime, interpreter);
	if (!gil->address ||
	    !remote_i32(remote,
			gil->address + (uint64_t)python->offsets.gil_locked,
			&locked) ||
	    (locked != 0 && locked != 1))
		return;
	gil->known = true;
	gil->locked = locked;
	gil->switches = remote_pointer(
		remote, gil->address + (uint64_t)python->offsets.gil_switch);
	if (!locked)
		return;
	gil->holder = reader_find_state(
		reader,
		remote_pointer(
			remote,
			gil->address +
				(uint64_t)python->offsets.gil_last_holder));
	if (gil->holder != STACK_NO_THREAD)
		reader->shown[gil->holder].holds_gil = true;
}

/* Two looks at the GIL that agree, around the reading, say who held it. */
static int read_picture(struct stack_reader *reader, struct error *err)
{
	struct stack_picture *picture = reader->picture;
	bool stop = reader->options->stop && !reader->core;
	uint64_t begun;

	if (!stop && !reader->core && reader_watch(reader, err))
		return -1;
	begun = monotonic_ns();
	if (stop && pause_all(&reader->pause, STOP_ALL_MS, err))
		return -1;
	remote_forget(&reader->remote);
	if (reader_join_threads(reader, err) || read_threads(reader, err))
		return -1;
	remote_forget(&reader->remote);
	read_gil(reader);
	picture->collecting = runtime_collecting(
		&reader->runtime, runtime_main_interpreter(&reader->runtime));
	picture->read_ns = monotonic_ns() - begun;
	reader_unwatch(reader);
	for (size_t i = 0; i < reader->count; i++)
		reader_show_kernel(reader, i);
	reader_name_threads(reader);
	if (reader_list_children(reader, err) || tasks_read(reader, err) ||
	    greenlets_read(reader, err))
		return -1;
	pause_end(&reader->pause);
	if (stop)
		reader_settle(reader);
	if (show_threads(reader, err))
		return -1;
	return stack_explain(reader, err);
}

static void finish(struct stack_reader *reader, uint64_t begun)
{
	struct stack_picture *picture = reader->picture;
	const struct runtime *runtime = &reader->runtime;
	const char *path = runtime->module ? runtime->module->path : "";

	picture->pid = reader->remote.self;
	picture->version = runtime->python.version;
	picture->free_threaded = runtime->python.free_threaded;
	picture->found_by = runtime->found_by;
	picture->executable = arena_copy(reader->arena, path, strlen(path));
	picture->pause_ns = reader->pause.longest_ns;
	picture->threads_stopped = reader->pause.stopped;
	picture->total_ns = monotonic_ns() - begun;
}

int reader_run(struct stack_reader *reader, struct error *err)
{
	return reader_open(reader, err) || read_picture(reader, err) ? -1 : 0;
}

static int read_process(struct stack_reader *reader, struct error *err)
{
	struct procfs_status status;
	struct procfs_stat stat;

	if (admit_process(reader->pid, &status, &stat, err) ||
	    admit_permission(reader->pid, &status, err) ||
	    admit_memory(reader->pid, &stat, err))
		return -1;
	return reader_run(reader, err);
}

/* Reads by a way into a new picture. */
static int read_new(struct stack_reader *reader,
		    int (*way)(struct stack_reader *reader, struct error *err),
		    struct stack_picture **ret_picture, struct error *err)
{
	uint64_t begun = monotonic_ns();
	int failed;

	reader->deadline = deadline_in_ms(READER_SECONDS * 1000);
	reader->arena = arena_new(READER_MEMORY);
	if (reader->arena)
		reader->picture =
			arena_alloc(reader->arena, sizeof(*reader->picture));
	if (!reader->picture) {
		arena_free(reader->arena);
		return error_set(err, ERROR_NO_MEMORY, "stack");
	}
	reader->picture->arena = reader->arena;
	failed = way(reader, err);
	if (!failed)
		finish(reader, begun);
	reader_release(reader);
	if (failed) {
		stack_picture_free(reader->picture);
		return -1;
	}
	*ret_picture = reader->picture;
	return 0;
}

int stack_read(const struct process_id *id, const struct stack_options *options,
	       struct stack_picture **ret_picture, struct error *err)
{
	struct stack_reader reader = { .pid = id->pid, .options = options };

	if (!read_new(&reader, read_process, ret_picture, err))
		return 0;
	if (process_same(id))
		return process_lacks(id->pid, err);
	return error_set(err, ERROR_TARGET_EXIT,
			 "process %d ended while it was read", id->pid);
}

int stack_read_core(int fd, const char *root,
		    const struct stack_options *options,
		    struct stack_picture **ret_picture, struct error *err)
{
	struct core_file core;
	struct stack_reader reader = { .core = &core, .options = options };
	int failed;

	if (core_open(fd, root, &core, err))
		return -1;
	failed = read_new(&reader, reader_run, ret_picture, err);
	core_release(&core);
	return failed;
}

void stack_picture_free(struct stack_picture *picture)
{
	/* The picture itself lies in its arena. */
	if (picture)
		arena_free(picture->arena);
}
