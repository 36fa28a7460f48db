/* SPDX-License-Identifier: MIT */
#include "agent/task.h"

#include "agent/attributes.h"
#include "agent/loaded.h"
#include "agent/sys.h"
#include "agent/value_walk.h"

enum {
	NAME_MOST = 128, /* characters */
	LOOPS_MOST = 64, /* that run at a time */
	NAME_TEXT = 6 * NAME_MOST + 2,
	NAMES = 16, /* remembered */
	/* The last 3.N whose threads have their loop in a dict. */
	LOOP_IN_DICT = 12,
	/* PyRunningLoopHolder.rl_loop, 3.7-3.11 */
	HOLDER_LOOP = 16,
};

static struct loaded asyncio = { .name = "_asyncio" };

/* Of _asyncio, all held; NULL where it has none. */
static struct {
	struct object *running_loop; /* builtin */
	struct object *current_task; /* builtin, 3.14+ */
	struct object *tasks;	     /* dict of loop and task, <= 3.13 */
	struct object *type;	     /* Task */
	struct object *get_name;     /* its method, 3.8+ */
	struct object *key;	     /* of the thread's dict, <= 3.12 */
} known;

/* Names as they are written, by the str. */
static struct rendered {
	struct object *name; /* held */
	size_t length;
	char text[NAME_TEXT];
} names[NAMES];

static void forget(void)
{
	py_drop(known.running_loop);
	py_drop(known.current_task);
	py_drop(known.tasks);
	py_drop(known.type);
	py_drop(known.get_name);
	py_drop(known.key);
	known.key = NULL;
	known.running_loop = known.current_task = known.tasks = NULL;
	known.type = known.get_name = NULL;
}

static void learn(void)
{
	const struct object *builtin = py.PyCFunction_Type;

	forget();
	known.running_loop =
		loaded_member(&asyncio, "_get_running_loop", builtin);
	/* From 3.14 on the threads have them. */
	if (py.minor < 14)
		known.tasks = loaded_member(&asyncio, "_current_tasks",
					    py.PyDict_Type);
	else
		known.current_task =
			loaded_member(&asyncio, "current_task", builtin);
	known.type = loaded_member(&asyncio, "Task", py.PyType_Type);
	if (known.type)
		known.get_name = py_attr(known.type, "get_name");
	if (py.minor <= LOOP_IN_DICT)
		known.key = py.PyUnicode_InternFromString(
			"__asyncio_running_event_loop__");
	asyncio.partial = asyncio.module && !known.running_loop;
}

/* By identity: a loop's class may define __eq__ and __hash__. */
static struct object *task_of(struct object *loop)
{
	struct object *key, *task;
	pyssize at = 0;

	for (int i = 0; i < LOOPS_MOST; i++) {
		if (!py.PyDict_Next(known.tasks, &at, &key, &task))
			break;
		if (key == loop)
			return py_ref(task);
	}
	return NULL;
}

/* The loop that runs on this thread: a new reference, or NULL. Up to 3.12 the
 * thread's dict has it, before 3.12 in a holder; _get_running_loop() asks the
 * kernel for the process id as well, each time, which we do not need: a child
 * after fork is disarmed. */
static struct object *running_loop(void)
{
	struct object *dict, *found;

	if (!known.key)
		return py.PyObject_CallObject(known.running_loop, NULL);
	dict = py.PyThreadState_GetDict();
	found = dict ? py.PyDict_GetItem(dict, known.key) : NULL;
	if (found &&
	    text_equal(py_type_name(found->type), "_RunningLoopHolder"))
		found = PY_FIELD(struct object *, found, HOLDER_LOOP);
	return found ? py_ref(found) : NULL;
}

struct object *task_current(void)
{
	struct object *loop, *task = NULL;

	if (loaded_changed(&asyncio))
		learn();
	if (!known.running_loop ||
	    (known.tasks && !py.PyDict_Size(known.tasks)))
		return NULL;
	loop = running_loop();
	if (loop && loop != py._Py_NoneStruct) {
		if (known.tasks)
			task = task_of(loop);
		else if (known.current_task)
			task = py.PyObject_CallFunctionObjArgs(
				known.current_task, loop, NULL);
	}
	if (!loop || !task)
		py.PyErr_Clear();
	/* It runs: never the last reference. */
	py_drop(loop);
	if (task != py._Py_NoneStruct)
		return task;
	py_drop(task);
	return NULL;
}

static bool is_builtin_task(const struct object *object)
{
	struct object *type = object->type;

	while (type && type != known.type)
		type = PY_FIELD(struct object *, type, TYPE_BASE);
	return type && known.type;
}

/* One that asyncio's Python part made has its members in its __dict__. */
bool task_is_one(struct object *object)
{
	return is_builtin_task(object) ||
	       (attributes_find(object, "_coro") &&
		attributes_find(object, "_fut_waiter"));
}

/* Are these attributes read by a function of C? */
static bool is_descriptor(const struct object *object)
{
	const char *type = py_type_name(object->type);

	return text_equal(type, "getset_descriptor") ||
	       text_equal(type, "member_descriptor");
}

struct object *task_member(struct object *object, const char *name)
{
	struct object *key = py.PyUnicode_InternFromString(name);
	struct object *found = NULL, *member = NULL;

	if (key && py._PyType_Lookup)
		found = py._PyType_Lookup(object->type, key);
	if (found && is_descriptor(found)) {
		member = py.PyObject_GenericGetAttr(object, key);
	} else if (!found) {
		member = attributes_find(object, name);
		if (member)
			py.Py_IncRef(member);
	}
	py.PyErr_Clear();
	py_drop(key);
	return member;
}

/* A new reference, or NULL. */
static struct object *name_of(struct object *task)
{
	struct object *name = NULL;

	if (!is_builtin_task(task)) {
		name = attributes_find(task, "_name");
		if (name)
			py.Py_IncRef(name);
	} else if (known.get_name) {
		name = py.PyObject_CallFunctionObjArgs(known.get_name, task,
						       NULL);
	}
	if (py_is_str(name))
		return name;
	py.PyErr_Clear();
	py_drop(name);
	return NULL;
}

static void write_address(struct json_writer *w, uintptr_t address)
{
	int shift = 60;

	json_string_char(w, '0');
	json_string_char(w, 'x');
	while (shift && !(address >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		json_string_char(
			w, (unsigned char)"0123456789abcdef"[address >> shift &
							     15]);
}

/* The str takes the place of another, which is dropped. */
static void remember(struct rendered *rendered, struct object *name)
{
	struct object *before = rendered->name;
	struct json_writer w;

	json_init(&w, rendered->text, sizeof rendered->text);
	json_string_begin(&w);
	value_characters(&w, name, NAME_MOST);
	json_string_end(&w);
	rendered->length = json_length(&w);
	rendered->name = py_ref(name);
	py_drop(before);
}

void task_write_name(struct json_writer *w, struct object *task)
{
	struct object *name = name_of(task);
	struct rendered *rendered;

	if (name) {
		rendered = &names[((uintptr_t)name >> 5) % NAMES];
		if (rendered->name != name)
			remember(rendered, name);
		json_raw(w, rendered->text, rendered->length);
		py_drop(name);
		return;
	}
	json_string_begin(w);
	value_append(w, "Task-", 5);
	write_address(w, (uintptr_t)task);
	json_string_end(w);
}

void task_release(void)
{
	for (int i = 0; i < NAMES; i++) {
		py_drop(names[i].name);
		names[i].name = NULL;
	}
	forget();
	loaded_release(&asyncio);
}
