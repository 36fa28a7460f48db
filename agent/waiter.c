/* SPDX-License-Identifier: MIT */
#include "agent/waiter.h"

#include "agent/attributes.h"
#include "agent/sys.h"
#include "agent/task.h"

enum {
	HOPS = 4,      /* from future to future */
	CALLBACKS = 8, /* of one future */
	ARGUMENTS = 4,
	/* PyCFunctionObject.m_self, PyMethodObject.im_self, 3.7-3.15 */
	FUNCTION_SELF = 24,
	METHOD_SELF = 24,
	/* TaskWakeupMethWrapper.ww_task, 3.7-3.9 */
	WAKEUP_TASK = 16,
};

static struct object *waiter_of(struct object *future, int hops);

/* The object itself when it is a task, else who waits for it, when it is a
 * future. NULL is fine. */
static struct object *task_behind(struct object *object, int hops)
{
	if (!object)
		return NULL;
	if (task_is_one(object))
		return py_ref(object);
	return hops ? waiter_of(object, hops - 1) : NULL;
}

/* gather, wait and shield: a function with the future that they made in one
 * of its cells. */
static struct object *behind_function(struct object *function, int hops)
{
	struct object *closure = py.PyFunction_GetClosure(function);
	struct object *task = NULL;
	pyssize count = closure ? py.PyTuple_Size(closure) : 0;

	for (pyssize i = 0; i < count && i < CALLBACKS && !task; i++) {
		struct object *cell = py.PyTuple_GetItem(closure, i);
		struct object *content = NULL;

		if (py_is(cell, py.PyCell_Type))
			content = py.PyCell_Get(cell);
		task = task_behind(content, hops);
		py_drop(content);
	}
	return task;
}

/* wait_for before 3.12: partial(_release_waiter, future). */
static struct object *behind_partial(struct object *partial, int hops)
{
	struct object *arguments = task_member(partial, "args");
	struct object *task = NULL;

	if (arguments && py_is(arguments, py.PyTuple_Type))
		for (pyssize i = 0;
		     i < py.PyTuple_Size(arguments) && i < ARGUMENTS && !task;
		     i++)
			task = task_behind(py.PyTuple_GetItem(arguments, i),
					   hops);
	py_drop(arguments);
	return task;
}

/* Who is told by this callback of a future? */
static struct object *behind_callback(struct object *callback, int hops)
{
	const char *type = py_type_name(callback->type);

	if (py_is(callback, py.PyCFunction_Type))
		return task_behind(
			PY_FIELD(struct object *, callback, FUNCTION_SELF), 0);
	if (py_is(callback, py.PyFunction_Type))
		return behind_function(callback, hops);
	if (py_is(callback, py.PyMethod_Type)) {
		struct object *self =
			PY_FIELD(struct object *, callback, METHOD_SELF);

		/* A task of asyncio's Python part, or a TaskGroup. */
		if (self && task_is_one(self))
			return py_ref(self);
		return self ? task_behind(attributes_find(self, "_parent_task"),
					  0)
			    : NULL;
	}
	if (py.minor < 10 && text_equal(type, "TaskWakeupMethWrapper"))
		return task_behind(
			PY_FIELD(struct object *, callback, WAKEUP_TASK), 0);
	if (text_equal(type, "functools.partial"))
		return behind_partial(callback, hops);
	return NULL;
}

/* Before 3.14: [(callback, context)..], or None. */
static struct object *by_callbacks(struct object *future, int hops)
{
	struct object *list = task_member(future, "_callbacks");
	struct object *task = NULL;

	if (list && py_is(list, py.PyList_Type))
		for (pyssize i = 0;
		     i < py.PyList_Size(list) && i < CALLBACKS && !task; i++) {
			struct object *pair = py.PyList_GetItem(list, i);

			if (py_is(pair, py.PyTuple_Type) &&
			    py.PyTuple_Size(pair) > 0)
				task = behind_callback(
					py.PyTuple_GetItem(pair, 0), hops);
		}
	py.PyErr_Clear();
	py_drop(list);
	return task;
}

/* From 3.14 on: a set of tasks and futures, or None. */
static struct object *by_awaited(struct object *future, int hops)
{
	struct object *set = task_member(future, "_asyncio_awaited_by");
	struct object *one, *task = NULL;
	pyssize at = 0;
	intptr_t hash;

	if (set && py._PySet_NextEntry &&
	    (py_is(set, py.PySet_Type) || py_is(set, py.PyFrozenSet_Type)))
		while (!task && py._PySet_NextEntry(set, &at, &one, &hash))
			task = task_behind(one, hops);
	py.PyErr_Clear();
	py_drop(set);
	return task;
}

static struct object *waiter_of(struct object *future, int hops)
{
	if (py.minor < 14)
		return by_callbacks(future, hops);
	return by_awaited(future, hops);
}

struct object *waiter_of_task(struct object *task)
{
	return waiter_of(task, HOPS);
}
