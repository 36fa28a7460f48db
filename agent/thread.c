/* SPDX-License-Identifier: MIT */
#include "agent/thread.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include "agent/python.h"
#include "agent/sys.h"
#include "agent/value_walk.h"

enum {
	THREADS = 64, /* remembered */
	THREAD_TEXT = 256,
	NAME_MOST = 128,       /* characters */
	COMM_SIZE = 16,	       /* of the kernel's names, with NUL */
	INTERPRETER_TEXT = 40, /* `,"interpreter":N` */
	/* PyThreadState.id; later versions have a function */
	STATE_ID_7 = 272,
	STATE_ID_8 = 256,
	/* PyThreadState.interp, 3.7 and 3.8; later there is a function */
	STATE_INTERPRETER = 16,
};

#define NAME_FRESH_NS 500000000u /* names may change */

/* A thread state's address is used again, its id is not. */
struct known {
	void *state;
	uint64_t id;
	uint64_t asked; /* ns, when the name was */
	int kernel_id;
	size_t length;
	char text[THREAD_TEXT];
};

static struct known table[THREADS];

static uint64_t state_id(void *state)
{
	if (py.PyThreadState_GetID)
		return py.PyThreadState_GetID(state);
	return PY_FIELD(uint64_t, state,
			py.minor == 7 ? STATE_ID_7 : STATE_ID_8);
}

/* threading._active, borrowed; NULL before the target imported threading and
 * when it has been taken down. */
static struct object *active_threads(void)
{
	struct object *object = py.PySys_GetObject("modules");

	if (object && py_is(object, py.PyDict_Type))
		object = py.PyDict_GetItemString(object, "threading");
	if (!object || !py_is(object, py.PyModule_Type))
		return NULL;
	object = py.PyModule_GetDict(object);
	if (object)
		object = py.PyDict_GetItemString(object, "_active");
	return object && py_is(object, py.PyDict_Type) ? object : NULL;
}

/* The Thread object of this thread, borrowed. */
static struct object *this_thread(void)
{
	struct object *active = active_threads();
	struct object *key, *thread;

	if (!active)
		return NULL;
	key = py.PyLong_FromLong((long)py.PyThread_get_thread_ident());
	if (!key)
		return NULL;
	thread = py.PyDict_GetItem(active, key);
	py_drop(key);
	return thread;
}

/* thread._name from the object's own dict: a new reference, or NULL. Not asked
 * where a class defines the name, since that may be code. */
static struct object *own_name(struct object *thread)
{
	struct object *key = py.PyUnicode_InternFromString("_name");
	struct object *name = NULL;

	if (key && py._PyType_Lookup && !py._PyType_Lookup(thread->type, key))
		name = py.PyObject_GenericGetAttr(thread, key);
	py_drop(key);
	if (py_is_str(name))
		return name;
	py_drop(name);
	return NULL;
}

/* The member "name", and who gave it. */
static void write_name(struct json_writer *w, int kernel_id)
{
	struct object *thread = this_thread();
	struct object *name = thread ? own_name(thread) : NULL;
	char comm[COMM_SIZE + 1] = "";

	py.PyErr_Clear();
	json_key(w, "name");
	if (name) {
		json_string_begin(w);
		value_characters(w, name, NAME_MOST);
		/* A name without an end keeps what fits. */
		w->full = false;
		w->end += 1;
		value_append(w, "\"", 1);
		py_drop(name);
		return;
	}
	/* What threading will call it, once somebody imports that. */
	if (kernel_id == sys_getpid()) {
		json_string(w, "MainThread");
	} else {
		sys_call(SYS_prctl, PR_GET_NAME, (long)comm, 0, 0, 0, 0);
		json_string(w, comm);
		json_key(w, "named_by");
		json_string(w, "kernel");
	}
	w->end += 1;
}

void thread_name(char *buf, size_t size)
{
	struct object *thread = this_thread();
	struct object *name = thread ? own_name(thread) : NULL;
	char comm[COMM_SIZE + 1] = "";

	py.PyErr_Clear();
	if (name) {
		py_text(name, buf, size);
		py_drop(name);
		return;
	}
	sys_call(SYS_prctl, PR_GET_NAME, (long)comm, 0, 0, 0, 0);
	text_copy(buf, size, comm);
}

/* Which interpreter the calling thread is in; 0: the main one. */
static int64_t interpreter_id(void *state)
{
	void *interpreter =
		py.PyInterpreterState_Get
			? py.PyInterpreterState_Get()
			: PY_FIELD(void *, state, STATE_INTERPRETER);

	if (interpreter == py.PyInterpreterState_Main())
		return 0;
	return py.PyInterpreterState_GetID(interpreter);
}

static void render(struct known *known, void *state)
{
	int64_t interpreter = interpreter_id(state);
	struct json_writer w;

	/* The quote, the brace and the interpreter at the end find room. */
	json_init(&w, known->text, sizeof known->text - 2 - INTERPRETER_TEXT);
	json_key(&w, "thread");
	json_object_begin(&w);
	json_key(&w, "id");
	json_int(&w, known->kernel_id);
	write_name(&w, known->kernel_id);
	w.end += 1 + INTERPRETER_TEXT;
	json_object_end(&w);
	if (interpreter) {
		json_key(&w, "interpreter");
		json_int(&w, interpreter);
	}
	known->length = json_length(&w);
}

/* What is remembered of the calling thread. */
static struct known *recall(void *state)
{
	uint64_t id = state_id(state);
	struct known *known = &table[id % THREADS];

	if (known->state != state || known->id != id) {
		known->state = state;
		known->id = id;
		known->kernel_id = sys_gettid();
		known->asked = 0;
	}
	return known;
}

int thread_kernel_id(void)
{
	return recall(py.PyThreadState_Get())->kernel_id;
}

void thread_write(struct json_writer *w, uint64_t now)
{
	void *state = py.PyThreadState_Get();
	struct known *known = recall(state);

	if (!known->asked || now - known->asked > NAME_FRESH_NS) {
		known->asked = now;
		render(known, state);
	}
	json_raw(w, known->text, known->length);
}

void thread_release(void)
{
	memset(table, 0, sizeof table);
}
