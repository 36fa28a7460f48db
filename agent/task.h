/* SPDX-License-Identifier: MIT */
/*
 * task: the asyncio task that the calling thread runs, and its name. Asked of
 * asyncio's C part (_asyncio), whose functions run no code of the program;
 * tasks that asyncio's Python part made are known by their own attributes.
 *
 * 3.7 has no names: a task goes by "Task-0x7f..", its address, as does one
 * whose name is no str.
 *
 * GIL held. Never leaves an error indicator.
 */
#ifndef NOPDB_AGENT_TASK_H
#define NOPDB_AGENT_TASK_H

#include "agent/python.h"
#include "proto/json_write.h"

/* A new reference; NULL: no task runs here. */
struct object *task_current(void);

/* Is it a task, of asyncio's own or made of one? */
bool task_is_one(struct object *object);

/* A member that asyncio gave a task or future (or C any object): a new
 * reference, NULL when it has none or a class has code in its place. */
struct object *task_member(struct object *object, const char *name);

/* Its name as a JSON string, cut to 128 characters. */
void task_write_name(struct json_writer *w, struct object *task);

void task_release(void);

#endif
