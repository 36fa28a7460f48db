/* SPDX-License-Identifier: MIT */
/*
 * tasks: the tasks of asyncio that are not done, of all loops: those of
 * _asyncio and those that are written in Python. Found where asyncio itself
 * keeps them for all_tasks(): weak sets in its modules, and from 3.14 on a
 * list in each thread state and interpreter.
 *
 * A task is read when its chain of awaits is; a loop that runs meanwhile
 * changes it. What the loop's thread did is known by the kernel's count: tasks
 * of a thread that did not run are consistent with its stack and each other.
 */
#ifndef NOPDB_INJECTOR_STACK_TASKS_H
#define NOPDB_INJECTOR_STACK_TASKS_H

#include "injector/stack/asyncio_layout.h"
#include "injector/stack/coroutine.h"
#include "injector/stack/stack.h"

enum future_state {
	FUTURE_PENDING,
	FUTURE_CANCELLED,
	FUTURE_FINISHED,
	FUTURE_UNKNOWN
};

struct task {
	uint64_t address, loop, coroutine;
	uint64_t waiter; /* the future that wakes it; 0: none */
	size_t thread;	 /* that runs its loop, or STACK_NO_THREAD */
	const char *name;
	struct await_chain chain;
	const struct stack_local **locals; /* of each frame; NULL: none */
	size_t *local_count;
};

struct tasks {
	struct asyncio_layout layout;
	bool native; /* the layout is that of this target */
	struct task *list;
	size_t count;
	size_t unread; /* beyond STACK_TASKS_MAX */
};

struct stack_reader;

/* Fills reader->tasks. Fails with NO_MEMORY or TIMEOUT. */
int tasks_read(struct stack_reader *reader, struct error *err) NOPDB_CHECKED;

/* Shows them: picture->tasks, in the order in which they were made as far as
 * it is known. False: no memory. */
bool tasks_show(struct stack_reader *reader);

/* Of a future of asyncio, or a task. */
enum future_state future_state_of(const struct stack_reader *reader,
				  uint64_t future);

/* The index of the task at an address; SIZE_MAX: it is none that waits. */
size_t task_find(const struct stack_reader *reader, uint64_t address);

#endif
