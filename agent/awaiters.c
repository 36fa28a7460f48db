/* SPDX-License-Identifier: MIT */
#include "agent/awaiters.h"

#include "agent/attributes.h"
#include "agent/frames.h"
#include "agent/stack.h"
#include "agent/sys.h"
#include "agent/task.h"
#include "agent/waiter.h"

enum {
	TASKS = 8, /* that wait for each other */
	AWAITERS = 32,
	CLOSING = 2,
};

/* One that waits. */
struct awaiter {
	/* Held: the frame, or the coroutine whose frame has no object; NULL:
	 * text is set. */
	struct object *frame;
	struct stack_frame at;
	int task;
};

struct chain {
	struct object *task[TASKS]; /* held; the first is the call's own */
	int tasks, count;
	struct awaiter awaiter[AWAITERS]; /* innermost first */
};

/* One at a time, under the GIL: whoever comes in a collection finds it busy. */
static struct chain chain;
static bool busy;

/* What a suspended coroutine or generator waits in: new references. */
static struct object *awaited(struct object *object)
{
	if (py_is(object, py.PyCoro_Type))
		return py_attr(object, "cr_await");
	if (py_is(object, py.PyGen_Type))
		return py_attr(object, "gi_yieldfrom");
	return NULL;
}

static struct object *frame_of(struct object *object)
{
	if (py_is(object, py.PyCoro_Type))
		return py_attr(object, "cr_frame");
	if (py_is(object, py.PyGen_Type))
		return py_attr(object, "gi_frame");
	return NULL;
}

static bool waits(const struct object *awaited)
{
	return awaited && awaited != py._Py_NoneStruct;
}

/* What stands for the frame of a suspended coroutine, which waits for `next`:
 * itself, where its frame can be read without an object; else the object. NULL:
 * there is none. */
static struct object *frame_or_self(struct object *object, struct object *next)
{
	struct object *frame;

	if (frames->of_waiting && waits(next))
		return py_ref(object);
	frame = frame_of(object);
	if (frame && py_is(frame, py.PyFrame_Type))
		return frame;
	py_drop(frame);
	return NULL;
}

/* The frames of a task that is suspended, outermost first; how many. */
static int suspended(struct object *task, struct object *frame[AWAITERS])
{
	struct object *object = task_member(task, "_coro");
	int count = 0;

	while (object && count < AWAITERS) {
		struct object *next = awaited(object);

		frame[count] = frame_or_self(object, next);
		count += frame[count] != NULL;
		py_drop(object);
		object = next;
	}
	py_drop(object);
	return count;
}

static void add_task(struct object *task)
{
	struct object *frame[AWAITERS];
	int count = suspended(task, frame);

	chain.task[chain.tasks] = task;
	while (count-- > 0) {
		if (chain.count == AWAITERS) {
			py_drop(frame[count]);
			continue;
		}
		chain.awaiter[chain.count++] =
			(struct awaiter){ .frame = frame[count],
					  .task = chain.tasks };
	}
	chain.tasks++;
}

/* The tasks that wait for the one that runs; makes objects. */
static void find_tasks(void)
{
	while (chain.tasks < TASKS) {
		struct object *task =
			waiter_of_task(chain.task[chain.tasks - 1]);

		if (!task)
			return;
		for (int i = 0; i < chain.tasks; i++) {
			if (chain.task[i] != task)
				continue;
			py_drop(task);
			return;
		}
		add_task(task);
	}
}

/* The frame that an object stands for, NULL: none any more. */
static void *frame_at(struct object *object, const struct object *code)
{
	struct object *next;
	void *frame;

	if (py_is(object, py.PyFrame_Type))
		return frames->of_object(object);
	/* A collection may have run code since, and that the coroutine. */
	next = awaited(object);
	frame = waits(next) ? frames->of_waiting(object, code) : NULL;
	py_drop(next);
	return frame;
}

static void find_place(struct awaiter *awaiter)
{
	struct object *object = awaiter->frame, *code;
	void *at;

	if (py_is(object, py.PyFrame_Type))
		code = py_attr(object, "f_code");
	else if (py_is(object, py.PyCoro_Type))
		code = py_attr(object, "cr_code");
	else
		code = py_attr(object, "gi_code");
	at = frame_at(object, code);
	if (!code || !at ||
	    !stack_frame(code, frames->lasti(at), at, &awaiter->at))
		awaiter->at.length = 0;
	/* The frame holds it. */
	py_drop(code);
}

/* A line of text for each; the cache of frames stays as it is from here on. */
static void find_places(void *frame)
{
	struct stack_frame own[AWAITERS];
	int count = stack_awaiting(frame, AWAITERS, own), room;

	room = AWAITERS - count < chain.count ? AWAITERS - count : chain.count;
	for (int i = room; i < chain.count; i++)
		py_drop(chain.awaiter[i].frame);
	memmove(&chain.awaiter[count], chain.awaiter,
		(size_t)room * sizeof *chain.awaiter);
	for (int i = 0; i < count; i++)
		chain.awaiter[i] = (struct awaiter){ .at = own[i] };
	chain.count = count + room;
	for (int i = count; i < chain.count; i++)
		find_place(&chain.awaiter[i]);
}

static bool write_one(struct json_writer *w, const struct awaiter *awaiter)
{
	struct json_mark mark = json_mark(w);

	if (!awaiter->at.length)
		return true;
	json_raw(w, awaiter->at.text, awaiter->at.length - 1);
	json_key(w, "task");
	task_write_name(w, chain.task[awaiter->task]);
	json_object_end(w);
	if (!w->full)
		return true;
	json_rewind(w, mark);
	return false;
}

static void write_all(struct json_writer *w)
{
	struct json_mark mark = json_mark(w);

	if (json_room(w) < sizeof "\"awaiters\":[]," + CLOSING)
		return;
	w->end -= CLOSING;
	json_key(w, "awaiters");
	json_array_begin(w);
	/* The outermost is the first to be left out. */
	for (int i = chain.count; i > 0; i--)
		if (!write_one(w, &chain.awaiter[i - 1])) {
			json_rewind(w, mark);
			json_key(w, "awaiters");
			json_array_begin(w);
		}
	w->end += CLOSING;
	json_array_end(w);
}

static void drop_chain(void)
{
	int tasks = chain.tasks, count = chain.count;
	struct chain gone = chain;

	chain.tasks = chain.count = 0;
	busy = false;
	for (int i = 0; i < count; i++)
		py_drop(gone.awaiter[i].frame);
	for (int i = 0; i < tasks; i++)
		py_drop(gone.task[i]);
}

void awaiters_write(struct json_writer *w, void *frame)
{
	struct object *task = busy ? NULL : task_current();

	if (!task)
		return;
	busy = true;
	chain.count = 0;
	chain.tasks = 1;
	chain.task[0] = task;
	find_tasks();
	find_places(frame);
	if (chain.count)
		write_all(w);
	drop_chain();
}
