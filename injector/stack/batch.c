/* SPDX-License-Identifier: MIT */
/*
 * batch: reads the threads that wait, many at a time, without stopping any.
 * The kernel's count of the times that a thread got the CPU is the same before
 * and after all their memory was read: what was read was their stack. Of a
 * hundred threads most share pages and code, and each is asked about by four
 * system calls more than its files need to be opened.
 */
#include <unistd.h>

#include "injector/owned.h"
#include "injector/stack/reader.h"

struct watched {
	size_t index[WALK_PREPARE_MAX];
	int fd[WALK_PREPARE_MAX]; /* owned */
	uint64_t state[WALK_PREPARE_MAX];
	size_t count;
};

static void watch(struct stack_reader *reader, int tasks, size_t index,
		  struct watched *watched)
{
	struct reader_thread *thread = &reader->inside[index];
	int fd;

	if (!thread->python.tid || reader->options->stop ||
	    !kernel_watch(tasks, thread->python.tid, &thread->kernel, &fd))
		return;
	watched->index[watched->count] = index;
	watched->state[watched->count] = thread->python.state;
	watched->fd[watched->count++] = fd;
}

/* Whatever was read of a thread that ran is worth nothing. */
static void conclude(struct stack_reader *reader, size_t index, int fd,
		     bool sound)
{
	struct reader_thread *thread = &reader->inside[index];

	if (sound && kernel_watched(fd, &thread->kernel)) {
		thread->read = true;
		reader->shown[index].stable = true;
	} else {
		*thread = (struct reader_thread){ .python = thread->python };
	}
	close(fd);
}

static size_t read_some(struct stack_reader *reader, int tasks, size_t first)
{
	struct watched watched = { .count = 0 };
	bool sound[WALK_PREPARE_MAX];
	size_t end = first;

	while (end < reader->count && watched.count < WALK_PREPARE_MAX)
		watch(reader, tasks, end++, &watched);
	remote_forget(&reader->remote);
	walk_prepare(&reader->runtime.python, watched.state, watched.count);
	for (size_t i = 0; i < watched.count; i++)
		sound[i] = reader_look(reader, watched.index[i]);
	for (size_t i = 0; i < watched.count; i++)
		conclude(reader, watched.index[i], watched.fd[i], sound[i]);
	return end;
}

void reader_read_waiting(struct stack_reader *reader)
{
	owned_fd tasks = kernel_tasks(reader->pid);
	size_t at = 0;

	while (tasks >= 0 && at < reader->count &&
	       !deadline_passed(&reader->deadline))
		at = read_some(reader, tasks, at);
}
