/* SPDX-License-Identifier: MIT */
#include "agent/context.h"

#include "agent/greenlet.h"
#include "agent/task.h"
#include "agent/thread.h"

void context_write(struct json_writer *w, uint64_t time)
{
	struct object *task = task_current();

	thread_write(w, time);
	if (task) {
		json_key(w, "task");
		task_write_name(w, task);
		py_drop(task);
	}
	greenlet_write(w);
}

void context_release(void)
{
	thread_release();
	task_release();
	greenlet_release();
}
