/* SPDX-License-Identifier: MIT */
#include "injector/stack/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "injector/owned.h"
#include "injector/stack/elf_names.h"
#include "injector/stack/reader.h"

#define DEBUG_SYMBOL "_AsyncioDebug"
#define DEBUG_SECTION ".AsyncioDebug"
#define EXTENSION "_asyncio."
#define TASK_NAME_MAX 256u
#define FREE_THREADED_HEAD 16 /* more bytes of an object's head */

/* Addresses of tasks, while they are collected. */
struct found {
	uint64_t *list;
	size_t count, unread;
};

static void add(struct found *found, uint64_t task)
{
	if (!remote_plausible(task))
		return;
	if (found->count == STACK_TASKS_MAX)
		found->unread++;
	else
		found->list[found->count++] = task;
}

/* ---- where asyncio keeps them
 * -------------------------------------------------- */

static uint64_t module_globals(const struct stack_reader *reader,
			       const char *name)
{
	const struct python *python = &reader->runtime.python;
	struct remote *remote = python->remote;
	uint64_t interpreter = runtime_main_interpreter(&reader->runtime);
	uint64_t module = dict_get(
		python,
		remote_pointer(remote,
			       interpreter +
				       (uint64_t)python->offsets.is_modules),
		name);

	return module ? remote_pointer(
				remote,
				module + (uint64_t)python->offsets.module_dict)
		      : 0;
}

static void add_of_set(const struct python *python, uint64_t set, bool weak,
		       struct found *found)
{
	struct set_walk walk;
	uint64_t item;

	if (!set_walk_start(python, set, &walk))
		return;
	while ((item = set_walk_next(python, &walk)))
		add(found,
		    weak ? remote_pointer(
				   python->remote,
				   item + (uint64_t)python->offsets.weakref_obj)
			 : item);
}

/* _all_tasks until 3.11; then those that a loop began at once apart from the
 * others. A WeakSet has a set of weak references in `data`. */
static void add_of_modules(const struct python *python, uint64_t globals,
			   struct found *found)
{
	static const char *const sets[] = { "_all_tasks", "_scheduled_tasks",
					    "_eager_tasks" };

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		uint64_t set = dict_get(python, globals, sets[i]);

		if (object_is(python, set, "WeakSet"))
			add_of_set(python, attribute_get(python, set, "data"),
				   true, found);
		else
			add_of_set(python, set, false, found);
	}
}

/* struct llist_node: next and previous, in a circle with its head. */
static void add_of_list(const struct stack_reader *reader, uint64_t head,
			struct found *found)
{
	struct remote *remote = reader->runtime.python.remote;
	uint64_t node = remote_pointer(remote, head);

	for (size_t i = 0; i <= STACK_TASKS_MAX && node != head; i++) {
		if (!remote_plausible(node))
			return;
		add(found, node - reader->tasks.layout.node);
		node = remote_pointer(remote, node);
	}
}

static void add_of_lists(const struct stack_reader *reader, struct found *found)
{
	const struct asyncio_layout *layout = &reader->tasks.layout;
	uint64_t last = 0;

	if (!layout->node)
		return;
	for (size_t i = 0; i < reader->count; i++) {
		const struct runtime_thread *thread = &reader->inside[i].python;

		if (!thread->state)
			continue;
		add_of_list(reader, thread->state + layout->thread_head, found);
		if (thread->interpreter == last)
			continue;
		last = thread->interpreter;
		add_of_list(reader, last + layout->interpreter_head, found);
	}
}

/* ---- the layout
 * ------------------------------------------------------------------- */

/* The address of .AsyncioDebug in a module; 0: it has none. */
static uint64_t debug_address(const struct stack_reader *reader,
			      const struct module *module)
{
	const struct mapping *mapping = maps_find(&reader->maps, module->low);
	uint64_t address = module_symbol(module, DEBUG_SYMBOL);
	owned_fd fd = -1;
	bool symbol;

	if (address || !module->loaded || !mapping)
		return address;
	fd = module_open(reader->pid, mapping);
	if (fd < 0)
		return 0;
	address = elf_locate(fd, DEBUG_SYMBOL, DEBUG_SECTION, &symbol);
	return address ? address + module->bias : 0;
}

static bool is_extension(const struct module *module)
{
	const char *name = strrchr(module->path, '/');

	return name && !strncmp(name + 1, EXTENSION, sizeof(EXTENSION) - 1);
}

/* _asyncio is a file of its own, or part of the interpreter's. */
static bool apply_debug(struct stack_reader *reader)
{
	const struct module *module = reader->runtime.module;
	uint64_t words[ASYNCIO_DEBUG_WORDS], address;

	for (size_t i = 0; i < reader->modules.count; i++)
		if (is_extension(&reader->modules.list[i]))
			module = &reader->modules.list[i];
	address = module ? debug_address(reader, module) : 0;
	return address &&
	       remote_read(&reader->remote, address, words, sizeof(words)) &&
	       asyncio_layout_apply(&reader->tasks.layout, words);
}

/* Of 3.14 and 3.15 without the GIL the table has no row: there the section
 * tells all but the future's own fields, which lie behind a longer head. */
static bool find_other_build(struct stack_reader *reader)
{
	struct asyncio_layout *layout = &reader->tasks.layout;
	const struct python *python = &reader->runtime.python;

	if (python_minor(python) < 14 || !python->free_threaded ||
	    !asyncio_layout_find(python->version, false, layout))
		return false;
	layout->loop += FREE_THREADED_HEAD;
	layout->callback += FREE_THREADED_HEAD;
	layout->result += FREE_THREADED_HEAD;
	layout->state += FREE_THREADED_HEAD;
	return true;
}

static void find_layout(struct stack_reader *reader)
{
	const struct python *python = &reader->runtime.python;

	reader->tasks.native =
		asyncio_layout_find(python->version, python->free_threaded,
				    &reader->tasks.layout) ||
		find_other_build(reader);
	if (python_minor(python) >= 14)
		reader->tasks.native &= apply_debug(reader);
}

/* ---- futures and tasks
 * -------------------------------------------------------------- */

static bool is_native(const struct stack_reader *reader, uint64_t object)
{
	const struct python *python = &reader->runtime.python;

	return reader->tasks.native &&
	       (object_is_a(python, object, "_asyncio.Task") ||
		object_is_a(python, object, "_asyncio.Future"));
}

enum future_state future_state_of(const struct stack_reader *reader,
				  uint64_t future)
{
	static const char *const names[] = { "PENDING", "CANCELLED",
					     "FINISHED" };
	const struct python *python = &reader->runtime.python;
	uint64_t text;
	int32_t state;

	if (is_native(reader, future))
		return remote_i32(python->remote,
				  future + (uint64_t)reader->tasks.layout.state,
				  &state) &&
				       state >= FUTURE_PENDING &&
				       state <= FUTURE_FINISHED
			       ? (enum future_state)state
			       : FUTURE_UNKNOWN;
	text = attribute_get(python, future, "_state");
	/* A class attribute until it is set. */
	if (!text)
		return FUTURE_PENDING;
	for (int i = 0; i < 3; i++)
		if (object_text_is(python, text, names[i]))
			return (enum future_state)i;
	return FUTURE_UNKNOWN;
}

/* None stands for nothing. */
static uint64_t some(const struct python *python, uint64_t object)
{
	return object_is(python, object, "NoneType") ? 0 : object;
}

/* From 3.12 on a number, until somebody asks for the name. */
static const char *name_of(const struct stack_reader *reader, uint64_t name)
{
	const struct python *python = &reader->runtime.python;
	int64_t number;

	if (!name)
		return NULL;
	if (object_int(python, name, &number))
		return arena_printf(reader->arena, "Task-%lld",
				    (long long)number);
	return object_text(python, reader->arena, name, TASK_NAME_MAX);
}

static void read_fields(const struct stack_reader *reader, struct task *task)
{
	const struct asyncio_layout *at = &reader->tasks.layout;
	const struct python *python = &reader->runtime.python;
	struct remote *remote = python->remote;
	uint64_t object = task->address, name;

	if (is_native(reader, object)) {
		task->loop =
			remote_pointer(remote, object + (uint64_t)at->loop);
		task->waiter =
			remote_pointer(remote, object + (uint64_t)at->waiter);
		task->coroutine = remote_pointer(
			remote, object + (uint64_t)at->coroutine);
		name = at->name < 0
			       ? 0
			       : remote_pointer(remote,
						object + (uint64_t)at->name);
	} else {
		task->loop = attribute_get(python, object, "_loop");
		task->waiter = attribute_get(python, object, "_fut_waiter");
		task->coroutine = attribute_get(python, object, "_coro");
		name = attribute_get(python, object, "_name");
	}
	task->waiter = some(python, task->waiter);
	task->name = name_of(reader, name);
}

/* The thread that runs a loop knows it by its ident. */
static size_t thread_of(const struct stack_reader *reader, uint64_t loop)
{
	const struct python *python = &reader->runtime.python;
	int64_t ident;

	return object_int(python, attribute_get(python, loop, "_thread_id"),
			  &ident)
		       ? reader_find_ident(reader, (uint64_t)ident)
		       : STACK_NO_THREAD;
}

static bool read_locals(struct stack_reader *reader, struct task *task)
{
	size_t count = task->chain.frames.count;

	if (!reader->options->locals)
		return true;
	task->locals = arena_array(reader->arena, count, sizeof(*task->locals));
	task->local_count =
		arena_array(reader->arena, count, sizeof(*task->local_count));
	if (!task->locals || !task->local_count)
		return false;
	for (size_t i = 0; i < count; i++) {
		task->locals[i] = values_locals(&reader->values, &reader->codes,
						&task->chain.frames.list[i],
						&task->local_count[i]);
		if (!task->locals[i])
			return false;
	}
	return true;
}

static bool read_task(struct stack_reader *reader, uint64_t address)
{
	struct task *task = &reader->tasks.list[reader->tasks.count];

	*task = (struct task){ .address = address, .thread = STACK_NO_THREAD };
	if (future_state_of(reader, address) != FUTURE_PENDING)
		return true;
	read_fields(reader, task);
	if (!coroutine_chain(&reader->codes, reader->arena, task->coroutine,
			     &task->chain))
		return true;
	task->thread = thread_of(reader, task->loop);
	reader->tasks.count++;
	return read_locals(reader, task);
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static int read_found(struct stack_reader *reader, struct found *found,
		      struct error *err)
{
	struct tasks *tasks = &reader->tasks;

	qsort(found->list, found->count, sizeof(*found->list), compare);
	tasks->list =
		arena_array(reader->arena, found->count, sizeof(*tasks->list));
	for (size_t i = 0; tasks->list && i < found->count; i++) {
		if (i && found->list[i] == found->list[i - 1])
			continue;
		if (deadline_passed(&reader->deadline))
			return error_set(err, ERROR_TIMEOUT,
					 "reading its tasks took too long");
		if (!read_task(reader, found->list[i]))
			tasks->list = NULL;
	}
	tasks->unread = found->unread;
	return tasks->list ? 0 : error_set(err, ERROR_NO_MEMORY, "tasks");
}

int tasks_read(struct stack_reader *reader, struct error *err)
{
	uint64_t globals = module_globals(reader, "asyncio.tasks");
	owned_mem uint64_t *list = NULL;
	struct found found = { 0 };

	if (!globals)
		return 0;
	list = calloc(STACK_TASKS_MAX, sizeof(*list));
	if (!list)
		return error_set(err, ERROR_NO_MEMORY, "tasks");
	found.list = list;
	find_layout(reader);
	add_of_modules(&reader->runtime.python, globals, &found);
	add_of_lists(reader, &found);
	return read_found(reader, &found, err);
}

size_t task_find(const struct stack_reader *reader, uint64_t address)
{
	size_t low = 0, high = reader->tasks.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t at = reader->tasks.list[middle].address;

		if (at == address)
			return middle;
		if (at < address)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

/* ---- shown
 * ---------------------------------------------------------------------------
 */

/* Has the thread of a task's loop stood still since its stack was read? */
static bool is_stable(const struct stack_reader *reader, size_t thread,
		      uint8_t *known)
{
	const struct reader_thread *inside;

	if (thread == STACK_NO_THREAD)
		return false;
	inside = &reader->inside[thread];
	if (!known[thread])
		known[thread] = reader->core || reader->shown[thread].stopped ||
						kernel_still(reader->pid,
							     inside->python.tid,
							     &inside->kernel)
					? 1
					: 2;
	return known[thread] == 1;
}

static bool show_task(struct stack_reader *reader, const struct task *task,
		      struct stack_task *shown)
{
	struct frames_input input = { .python = &task->chain.frames,
				      .locals = task->locals,
				      .local_count = task->local_count };
	struct stack_thread thread = { 0 };

	if (!frames_show(&reader->frames, &input, &thread))
		return false;
	shown->address = task->address;
	shown->name = task->name;
	shown->thread = task->thread;
	shown->frames = thread.frames;
	shown->frame_count = thread.frame_count;
	shown->truncated = task->chain.frames.truncated;
	shown->state = task->chain.running   ? "running"
		       : task->waiter	     ? "waiting"
		       : task->chain.created ? "created"
					     : "ready";
	return true;
}

bool tasks_show(struct stack_reader *reader)
{
	const struct tasks *tasks = &reader->tasks;
	struct stack_task *shown =
		arena_array(reader->arena, tasks->count, sizeof(*shown));
	uint8_t *known = arena_array(reader->arena, reader->count, 1);

	if (!shown || !known)
		return false;
	for (size_t i = 0; i < tasks->count; i++) {
		if (!show_task(reader, &tasks->list[i], &shown[i]))
			return false;
		shown[i].stable =
			is_stable(reader, tasks->list[i].thread, known);
	}
	reader->shown_tasks = shown;
	reader->picture->tasks = shown;
	reader->picture->task_count = tasks->count;
	reader->picture->tasks_unread = tasks->unread;
	return true;
}
