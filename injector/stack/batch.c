/* SPDX-License-Identifier: MIT */
/*
 * batch: reads the threads that wait, many at a time, without stopping any.
 * The kernel's count of the times that a thread got the CPU is the same before
 * and after all their memory was read: what was read was their stack. Of a
 * hundred threads most share pages and code.
 *
 * The first 128 are looked at before the picture is taken, when nothing is in
 * a hurry: to open files takes longer than to read what they say. Of one that
 * ran since, the second look says so, and it is looked at anew.
 */
#include <stdlib.h>

#include "injector/owned.h"
#include "injector/stack/reader.h"

#define ROUNDS 2
/* Of the state and the frames of a thread that has 33; before 3.11 each frame
 * is an object of its own. */
#define PAGES_OF_THREAD 3u
#define PAGES_OF_OBJECTS 6u
#define BYTES_OF_THREAD 2048u /* what is kept of it */

/* Threads that are read at the same time. */
struct batch {
	size_t index[WALK_PREPARE_MAX];
	struct kernel_watch files[WALK_PREPARE_MAX];
	bool opened[WALK_PREPARE_MAX]; /* for this batch: to be closed */
	uint64_t state[WALK_PREPARE_MAX];
	size_t count;
	bool anew; /* one is watched only now: what was read before is old */
};

int reader_watch(struct stack_reader *reader, struct error *err)
{
	owned_fd tasks = kernel_tasks(reader->pid);
	unsigned minor = python_minor(&reader->runtime.python);
	owned_mem pid_t *tids = NULL;
	size_t count, more;

	if (kernel_threads(reader->pid, WALK_PREPARE_MAX, &tids, &count, &more,
			   err))
		return -1;
	remote_reserve(&reader->remote, count * (minor < 11 ? PAGES_OF_OBJECTS
							    : PAGES_OF_THREAD));
	arena_reserve(reader->arena, count * BYTES_OF_THREAD);
	for (size_t i = 0; tasks >= 0 && i < count; i++) {
		struct reader_watch *watch =
			&reader->watches[reader->watch_count];

		if (!kernel_watch_open(tasks, tids[i], &watch->files))
			continue;
		watch->fresh = kernel_watch_begin(&watch->files, &watch->look);
		reader->watch_count++;
	}
	return 0;
}

void reader_unwatch(struct stack_reader *reader)
{
	while (reader->watch_count)
		kernel_watch_close(
			&reader->watches[--reader->watch_count].files);
}

static int compare(const void *left, const void *right)
{
	const struct reader_watch *a = left, *b = right;

	return a->files.tid < b->files.tid ? -1 : a->files.tid > b->files.tid;
}

static struct reader_watch *find(struct stack_reader *reader, pid_t tid)
{
	struct reader_watch key = { .files.tid = tid };

	return bsearch(&key, reader->watches, reader->watch_count, sizeof(key),
		       compare);
}

/* Looks at a thread, unless that was done before the picture; false: it does
 * not wait. The files of one that came later, or is one of too many, are
 * opened only now. */
static bool begin(struct stack_reader *reader, int tasks, pid_t tid,
		  struct batch *batch, struct kernel_thread *ret_look)
{
	struct reader_watch *watch = find(reader, tid);
	struct kernel_watch *files = &batch->files[batch->count];

	batch->opened[batch->count] = !watch;
	if (watch && watch->fresh) {
		watch->fresh = false;
		*files = watch->files;
		*ret_look = watch->look;
		return true;
	}
	if (watch)
		*files = watch->files;
	else if (!kernel_watch_open(tasks, tid, files))
		return false;
	if (kernel_watch_begin(files, ret_look)) {
		batch->anew = true;
		return true;
	}
	if (!watch)
		kernel_watch_close(files);
	return false;
}

static void add(struct stack_reader *reader, int tasks, size_t index,
		struct batch *batch)
{
	struct reader_thread *thread = &reader->inside[index];
	pid_t tid = thread->python.tid;

	if (!tid || thread->read || thread->alone || reader->options->stop ||
	    !begin(reader, tasks, tid, batch, &thread->kernel))
		return;
	batch->index[batch->count] = index;
	batch->state[batch->count++] = thread->python.state;
}

/* Whatever was read of a thread that ran is worth nothing. */
static void conclude(struct stack_reader *reader, struct batch *batch, size_t i,
		     bool sound)
{
	struct reader_thread *thread = &reader->inside[batch->index[i]];
	bool still = kernel_watch_still(&batch->files[i], &thread->kernel);

	if (sound && still) {
		thread->read = true;
		reader->shown[batch->index[i]].stable = true;
	} else {
		*thread = (struct reader_thread){ .python = thread->python,
						  .alone = still };
	}
	if (batch->opened[i])
		kernel_watch_close(&batch->files[i]);
}

static size_t read_some(struct stack_reader *reader, int tasks, size_t first)
{
	struct batch batch = { .count = 0 };
	bool sound[WALK_PREPARE_MAX] = { false };
	size_t end = first;

	while (end < reader->count && batch.count < WALK_PREPARE_MAX)
		add(reader, tasks, end++, &batch);
	if (batch.anew)
		remote_forget(&reader->remote);
	walk_prepare(&reader->runtime.python, batch.state, batch.count);
	for (size_t i = 0; i < batch.count; i++)
		sound[i] = reader_look(reader, batch.index[i]);
	for (size_t i = 0; i < batch.count; i++)
		conclude(reader, &batch, i, sound[i]);
	return end;
}

static void read_round(struct stack_reader *reader, int tasks)
{
	size_t at = 0;

	while (at < reader->count && !deadline_passed(&reader->deadline))
		at = read_some(reader, tasks, at);
}

/* Those that ran for a moment are tried once more. */
void reader_read_waiting(struct stack_reader *reader)
{
	owned_fd tasks = kernel_tasks(reader->pid);

	for (int i = 0; tasks >= 0 && i < ROUNDS; i++)
		read_round(reader, tasks);
}
