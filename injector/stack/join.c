/* SPDX-License-Identifier: MIT */
/*
 * join: Python's threads and the kernel's, each once, the main thread first
 * and then by id; and their names.
 */
#include <stdlib.h>
#include <string.h>

#include "injector/owned.h"
#include "injector/stack/reader.h"

#define THREAD_NAME_MAX 256u
#define CHILDREN_MAX 4096u

size_t reader_find_state(const struct stack_reader *reader, uint64_t state)
{
	for (size_t i = 0; state && i < reader->count; i++)
		if (reader->inside[i].python.state == state)
			return i;
	return STACK_NO_THREAD;
}

size_t reader_find_ident(const struct stack_reader *reader, uint64_t ident)
{
	for (size_t i = 0; ident && i < reader->count; i++)
		if (reader->inside[i].python.state &&
		    reader->inside[i].python.ident == ident)
			return i;
	return STACK_NO_THREAD;
}

/* By id; Python threads whose id is not known come last, oldest first. */
static int compare(const void *left, const void *right)
{
	const struct runtime_thread *a = left, *b = right;

	if (a->tid != b->tid) {
		if (!a->tid || !b->tid)
			return a->tid ? -1 : 1;
		return a->tid < b->tid ? -1 : 1;
	}
	if (a->interpreter_id != b->interpreter_id)
		return a->interpreter_id < b->interpreter_id ? -1 : 1;
	return a->state < b->state ? -1 : a->state > b->state;
}

static bool is_python(const struct runtime_thread *list, size_t count,
		      pid_t tid)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle].tid == tid)
			return true;
		if (list[middle].tid && list[middle].tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The process's first thread has the process's id. */
static void main_first(struct stack_reader *reader)
{
	struct reader_thread *list = reader->inside, moved;

	for (size_t i = 1; i < reader->count; i++) {
		if (list[i].python.tid != reader->remote.self)
			continue;
		moved = list[i];
		memmove(list + 1, list, i * sizeof(*list));
		list[0] = moved;
		return;
	}
}

static int join(struct stack_reader *reader, struct runtime_thread *python,
		size_t python_count, const pid_t *tids, size_t tid_count,
		struct error *err)
{
	size_t known = python_count;

	qsort(python, python_count, sizeof(*python), compare);
	for (size_t i = 0; i < tid_count; i++)
		if (!is_python(python, known, tids[i]) &&
		    python_count < STACK_THREADS_MAX)
			python[python_count++] =
				(struct runtime_thread){ .tid = tids[i] };
	qsort(python, python_count, sizeof(*python), compare);
	reader->count = python_count;
	reader->shown = arena_array(reader->arena, python_count,
				    sizeof(*reader->shown));
	reader->inside = arena_array(reader->arena, python_count,
				     sizeof(*reader->inside));
	if (!reader->shown || !reader->inside)
		return error_set(err, ERROR_NO_MEMORY, "threads");
	for (size_t i = 0; i < python_count; i++)
		reader->inside[i].python = python[i];
	main_first(reader);
	return 0;
}

static int list_threads(struct stack_reader *reader, pid_t **ret_tids,
			size_t *ret_count, size_t *ret_more, struct error *err)
{
	return reader->core
		       ? postmortem_threads(reader, STACK_THREADS_MAX, ret_tids,
					    ret_count, ret_more, err)
		       : kernel_threads(reader->pid, STACK_THREADS_MAX,
					ret_tids, ret_count, ret_more, err);
}

int reader_list_children(struct stack_reader *reader, struct error *err)
{
	owned_mem pid_t *tids = NULL;
	size_t count = 0;
	pid_t *list;

	if (reader->core)
		return 0;
	list = arena_array(reader->arena, CHILDREN_MAX, sizeof(*list));
	tids = calloc(reader->count, sizeof(*tids));
	if (!list || !tids)
		return error_set(err, ERROR_NO_MEMORY, "child processes");
	for (size_t i = 0; i < reader->count; i++)
		if (reader->inside[i].python.tid)
			tids[count++] = reader->inside[i].python.tid;
	reader->picture->children = list;
	reader->picture->child_count =
		kernel_children(reader->pid, tids, count, list, CHILDREN_MAX);
	return 0;
}

int reader_join_threads(struct stack_reader *reader, struct error *err)
{
	struct stack_picture *picture = reader->picture;
	owned_mem struct runtime_thread *python =
		malloc(STACK_THREADS_MAX * sizeof(*python));
	owned_mem pid_t *tids = NULL;
	size_t count, unread, tid_count, more;

	if (!python)
		return error_set(err, ERROR_NO_MEMORY, "threads");
	if (list_threads(reader, &tids, &tid_count, &more, err) ||
	    runtime_threads(&reader->runtime, python, STACK_THREADS_MAX, &count,
			    &unread, err) ||
	    join(reader, python, count, tids, tid_count, err))
		return -1;
	for (size_t i = 0; i < reader->count; i++) {
		const struct runtime_thread *from = &reader->inside[i].python;
		struct stack_thread *to = &reader->shown[i];

		to->tid = from->tid;
		to->ident = from->ident;
		to->state_address = from->state;
		to->interpreter = from->interpreter_id;
		to->main = from->state && from->tid == reader->remote.self;
		to->syscall = -1;
	}
	picture->threads = reader->shown;
	picture->thread_count = reader->count;
	picture->threads_unread = unread > more ? unread : more;
	return 0;
}

/* ---- names
 * ---------------------------------------------------------------------- */

/* threading._active: {ident: Thread}, with Thread._name since 3.7. */
static void name_by_threading(struct stack_reader *reader)
{
	const struct python *python = &reader->runtime.python;
	struct remote *remote = &reader->remote;
	uint64_t interpreter = runtime_main_interpreter(&reader->runtime);
	uint64_t modules, module, active;
	struct dict_entry entry;
	struct dict_walk walk;
	int64_t ident;

	modules = remote_pointer(
		remote, interpreter + (uint64_t)python->offsets.is_modules);
	module = dict_get(python, modules, "threading");
	if (!module)
		return;
	active = dict_get(
		python,
		remote_pointer(remote,
			       module + (uint64_t)python->offsets.module_dict),
		"_active");
	if (!active || !dict_walk_start(python, active, &walk))
		return;
	if (walk.count > STACK_THREADS_MAX * 4)
		walk.count = STACK_THREADS_MAX * 4;
	while (dict_walk_next(python, &walk, &entry)) {
		size_t index =
			object_int(python, entry.key, &ident)
				? reader_find_ident(reader, (uint64_t)ident)
				: STACK_NO_THREAD;

		if (index != STACK_NO_THREAD)
			reader->shown[index].name = object_text(
				python, reader->arena,
				attribute_get(python, entry.value, "_name"),
				THREAD_NAME_MAX);
	}
}

void reader_name_threads(struct stack_reader *reader)
{
	char name[64];

	name_by_threading(reader);
	for (size_t i = 0; i < reader->count; i++) {
		struct stack_thread *thread = &reader->shown[i];

		if (thread->name || !thread->tid || reader->core)
			continue;
		kernel_name(reader->pid, thread->tid, name, sizeof(name));
		if (name[0])
			thread->name =
				arena_copy(reader->arena, name, strlen(name));
	}
}
