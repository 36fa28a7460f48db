/* SPDX-License-Identifier: MIT */
#include "agent/evaluation.h"

#include "agent/budget.h"
#include "agent/control.h"
#include "agent/expression.h"
#include "agent/fault.h"
#include "agent/gil.h"
#include "agent/memory.h"
#include "agent/python.h"
#include "agent/ration.h"
#include "agent/sys.h"
#include "agent/thread_stack.h"
#include "agent/value.h"

#define MS 1000000ull
#define GRACE_NS (500 * MS) /* to come back, once interrupted */
#define AGAIN_NS (100 * MS) /* between interruptions */

enum {
	LIST_SIZE = 16, /* offset of PyListObject's ob_size, 3.7-3.15 */
	CLOSING = 128,	/* `,"interrupted":true}` and brackets */
	VALUE_ROOM = 16 << 10,
	SINK_TEXT = 32 << 10,
	STACK_LITTLE = 8 << 20,
	STACK_BYTES = 16 << 20,
};

/* What begin_job() answers. */
enum { PART_JOB, PART_GATE, PART_THREAD, PART_TOKEN, PART_SINK };

struct evaluation {
	struct object *parts;  /* held; NULL: free */
	struct object *job;    /* of the parts: a list */
	unsigned long thread;  /* threading.get_ident() */
	uint64_t end;	       /* CLOCK_MONOTONIC ns: then it is over time */
	uint64_t next;	       /* interruption */
	evaluation_done *done; /* NULL: the value is the answer */
	struct frame request;  /* for done; its payload is owned */
	struct budget budget;
	struct probe_limits limits;
	uint32_t id; /* of the request; 0: answered */
	unsigned text_length;
	bool interrupted;
	char text[LIMIT_NAME]; /* JSON; "" for what is no name */
};

static struct evaluation table[LIMIT_EVALUATIONS];
static int count;
static char body[FRAME_PAYLOAD];
static char printed[SINK_TEXT];

bool evaluation_any(void)
{
	return count > 0;
}

static struct object *part(const struct evaluation *e, int index)
{
	return py.PyTuple_GetItem(e->parts, index);
}

/* Did it post its outcome? Read without the GIL as well. */
static bool posted(const struct evaluation *e)
{
	return __atomic_load_n(&PY_FIELD(pyssize, e->job, LIST_SIZE),
			       __ATOMIC_RELAXED) > 0;
}

/* Its thread holds the token until its thread state is cleared. The count is
 * the word's lower half since 3.14. */
static bool thread_ended(const struct evaluation *e)
{
	return PY_FIELD(uint32_t, part(e, PART_TOKEN), 0) == 1;
}

static void open_gate(struct evaluation *e)
{
	py_done(py.PyObject_CallMethod(part(e, PART_GATE), "release", NULL));
}

static void stop_printing(struct evaluation *e)
{
	struct object *item[1];

	if (part(e, PART_SINK) == py._Py_NoneStruct)
		return;
	item[0] = py_ref(part(e, PART_THREAD));
	py_done(expression_call("unroute", 1, item));
}

/* Gives everything back. The outcome is the thread's own: it must not end
 * here. */
static void release(struct evaluation *e)
{
	struct object *parts = e->parts;

	stop_printing(e);
	memory_put((void *)e->request.payload, e->request.length);
	budget_return(&e->budget);
	ration_end();
	open_gate(e);
	e->parts = NULL;
	count--;
	py_drop(parts);
}

static struct evaluation *free_entry(void)
{
	for (int i = 0; i < LIMIT_EVALUATIONS; i++)
		if (!table[i].parts)
			return &table[i];
	return NULL;
}

static int no_module(const char *module, struct frame_error *err)
{
	fault_set(err, ERROR_LOCATION,
		  "the program has not imported this module: ", module);
	return fault_remedy(err, "name one that is in its sys.modules");
}

static const char *module_of(const struct probe_spec *spec)
{
	return spec->where.module[0] ? spec->where.module : "__main__";
}

/* What is to be run. */
struct job {
	const char *text, *module;
	struct object *statements; /* True: statements, False: an expression,
				    * None: one that yields a callable */
	bool keep;
	uint32_t time_ms;
};

/* Of the thread that runs it, in bytes: as deep as the recursion limit lets it
 * go, whatever the program's threads have. 0: what they have will do. */
static long job_stack(void)
{
	return thread_stack_new() < STACK_LITTLE ? STACK_BYTES : 0;
}

/* Calls begin_job(); a new reference to its parts. */
static struct object *begin_job(const struct job *job, struct frame_error *err)
{
	struct object *item[] = {
		expression_text(job->text),
		py_ref(job->statements),
		expression_text(job->module),
		py_ref(job->keep ? py._Py_TrueStruct : py._Py_FalseStruct),
		py.PyLong_FromLong(job_stack()),
	};
	struct object *answer;

	sys_thread_name("nopdb-eval");
	answer = expression_call("begin_job", 5, item);
	sys_thread_name(BOOT_THREAD_LIVE);
	if (answer && py_is(answer, py.PyTuple_Type))
		return answer;
	if (!answer) {
		py.PyErr_Clear();
		fault_set(err, ERROR_LIMIT,
			  "the process can start no other thread", "");
	} else if (answer == py._Py_NoneStruct) {
		no_module(job->module, err);
		py_drop(answer);
	} else {
		expression_refuse(answer, ERROR_CODE, err);
	}
	return NULL;
}

static void keep_text(struct evaluation *e, const char *text)
{
	struct json_writer w;

	json_init(&w, e->text, sizeof e->text);
	json_string(&w, text);
	e->text_length = w.full ? 0 : (unsigned)json_length(&w);
}

/* Starts a job; NULL with an error. */
static struct evaluation *start(uint32_t id, const struct job *job,
				struct frame_error *err)
{
	struct evaluation *e = free_entry();
	struct object *parts;

	if (!e) {
		fault_set(err, ERROR_BUSY, "too many evaluations run already",
			  "");
		fault_remedy(err, "wait until one of them ends");
		return NULL;
	}
	parts = begin_job(job, err);
	if (!parts)
		return NULL;
	*e = (struct evaluation){ .parts = parts, .id = id };
	e->job = part(e, PART_JOB);
	e->thread = (unsigned long)py.PyLong_AsLong(part(e, PART_THREAD));
	e->end = e->next = sys_monotonic() + job->time_ms * MS;
	count++;
	budget_lend(&e->budget, e->thread);
	ration_begin();
	return e;
}

int evaluation_begin(uint32_t id, const struct frame_evaluate *how,
		     const struct probe_spec *spec, struct frame_error *err)
{
	const struct probe_action *action = &spec->script.actions[0];
	const struct job job = {
		.text = action->text,
		.module = module_of(spec),
		.statements = action->kind == ACTION_EXEC ? py._Py_TrueStruct
							  : py._Py_FalseStruct,
		.keep = how->keep,
		.time_ms = how->time_ms,
	};
	struct evaluation *e = start(id, &job, err);

	if (!e)
		return -1;
	e->limits = spec->limits;
	keep_text(e, action->text);
	open_gate(e);
	return 0;
}

int evaluation_resolve(const struct frame *request,
		       const struct probe_spec *spec, evaluation_done *done,
		       struct frame_error *err)
{
	const struct job job = {
		.text = spec->script.callable,
		.module = module_of(spec),
		.statements = py._Py_NoneStruct,
		.time_ms = DEFAULT_EXEC_MS,
	};
	void *payload = memory_get(request->length);
	struct evaluation *e;

	if (!payload)
		return fault_set(err, ERROR_NO_MEMORY,
				 "the agent's memory is used up", "");
	e = start(request->id, &job, err);
	if (!e) {
		memory_put(payload, request->length);
		return -1;
	}
	memcpy(payload, request->payload, request->length);
	e->request = *request;
	e->request.payload = payload;
	e->done = done;
	open_gate(e);
	return 0;
}

/* ---- the answer -----------------------------------------------------------
 */

/* As much of what it printed as leaves room for the value. */
static void write_printed(struct evaluation *e, struct json_writer *w)
{
	struct object *item[] = { py_ref(part(e, PART_SINK)) }, *answer;
	bool cut = false;
	size_t length;

	if (item[0] == py._Py_NoneStruct) {
		py_drop(item[0]);
		return;
	}
	answer = expression_call("sink_text", 1, item);
	if (!answer || !py_is(answer, py.PyTuple_Type)) {
		py.PyErr_Clear();
		py_drop(answer);
		return;
	}
	length =
		py_text(py.PyTuple_GetItem(answer, 0), printed, sizeof printed);
	cut = py.PyTuple_GetItem(answer, 1) == py._Py_TrueStruct ||
	      length + 4 >= sizeof printed;
	py_drop(answer);
	json_key(w, "stdout");
	for (struct json_mark mark = json_mark(w);; length /= 2, cut = true) {
		json_string_n(w, printed, length);
		if (!w->full && json_room(w) >= VALUE_ROOM)
			break;
		json_rewind(w, mark);
	}
	if (cut) {
		json_key(w, "stdout_truncated");
		json_bool(w, true);
	}
}

static void write_interrupted(struct json_writer *w, const char *message)
{
	json_key(w, "error");
	json_object_begin(w);
	json_key(w, "type");
	json_string(w, "nopdb");
	json_key(w, "message");
	json_string(w, message);
	json_object_end(w);
	json_key(w, "interrupted");
	json_bool(w, true);
}

/* outcome: (True, value) or (False, exception). */
static void write_outcome(struct evaluation *e, struct object *outcome,
			  struct json_writer *w)
{
	struct object *value = py.PyTuple_GetItem(outcome, 1);

	w->end -= CLOSING;
	if (py.PyTuple_GetItem(outcome, 0) == py._Py_TrueStruct) {
		json_key(w, "value");
		value_write_expression(w, e->text, e->text_length, value,
				       &e->limits);
	} else {
		json_key(w, "error");
		value_write_exception(w, value->type, value, NULL, &e->limits);
	}
	w->end += CLOSING;
}

static void write_end(struct evaluation *e, struct object *outcome,
		      struct json_writer *w)
{
	if (outcome && py.PyTuple_GetItem(outcome, 0) == py._Py_TrueStruct)
		write_outcome(e, outcome, w);
	else if (e->interrupted)
		write_interrupted(
			w, outcome || thread_ended(e)
				   ? "interrupted: it took longer than its time"
				   : "it took longer than its time and is "
				     "blocked: it ends when what it waits for "
				     "comes");
	else if (outcome)
		write_outcome(e, outcome, w);
	else
		write_interrupted(w, "its thread ended");
}

/* Writes the answer; its length. */
static size_t write_answer(struct evaluation *e, struct object *outcome)
{
	struct json_writer w;

	json_init(&w, body, sizeof body);
	json_object_begin(&w);
	json_key(&w, "time");
	json_time(&w, sys_realtime());
	write_printed(e, &w);
	write_end(e, outcome, &w);
	json_object_end(&w);
	return w.full ? 0 : json_length(&w);
}

/* ---- turns ----------------------------------------------------------------
 */

static void interrupt(struct evaluation *e, uint64_t now)
{
	e->interrupted = true;
	e->next = now + AGAIN_NS;
	if (posted(e) || thread_ended(e))
		return;
	/* Uncaught, it ends a thread without a word. The symbol is that of a
	 * pointer to the type. */
	py.PyThreadState_SetAsyncExc(
		e->thread, PY_FIELD(struct object *, py.PyExc_SystemExit, 0));
}

/* Is there something to do? Without the GIL. */
static bool is_due(const struct evaluation *e, uint64_t now)
{
	return e->parts && (posted(e) || now >= e->next);
}

/* What is to be sent once the GIL is given up. */
struct reply {
	uint32_t id; /* 0: nothing */
	struct evaluation_answer answer;
	struct frame_error err; /* without an answer */
};

/* Why an expression yields nothing to probe. */
static void refuse(const struct evaluation *e, struct object *outcome,
		   struct frame_error *err)
{
	char text[sizeof err->message] = "it took longer than its time";

	if (outcome && !e->interrupted) {
		outcome = py.PyTuple_GetItem(outcome, 1);
		if (py_is_str(outcome))
			py_text(outcome, text, sizeof text);
		else
			text_copy(text, sizeof text,
				  py_type_name(outcome->type));
	}
	fault_set(err, ERROR_LOCATION, "callable: ", text);
}

static void fill_reply(struct evaluation *e, struct object *outcome,
		       struct reply *reply)
{
	bool good = outcome &&
		    py_is(py.PyTuple_GetItem(outcome, 1), py.PyTuple_Type);

	reply->id = e->id;
	e->id = 0;
	if (e->done && !good) {
		refuse(e, outcome, &reply->err);
	} else if (e->done) {
		if (e->done(&e->request, py.PyTuple_GetItem(outcome, 1),
			    &reply->answer, &reply->err) < 0)
			reply->answer.length = 0;
	} else {
		reply->answer = (struct evaluation_answer){
			FRAME_VALUE, body, (uint32_t)write_answer(e, outcome)
		};
		if (!reply->answer.length)
			fault_set(&reply->err, ERROR_LIMIT,
				  "the answer is too large", "");
	}
	stop_printing(e);
}

static void serve_one(struct evaluation *e, uint64_t now, struct reply *reply)
{
	struct object *outcome = NULL;
	bool over;

	if (posted(e))
		outcome = py_ref(py.PyList_GetItem(e->job, 0));
	else if (now >= e->next)
		interrupt(e, now);
	over = outcome || thread_ended(e);
	if (e->id && (over || now >= e->end + GRACE_NS))
		fill_reply(e, outcome, reply);
	if (outcome) {
		py_done(py.PyObject_CallMethod(e->job, "clear", NULL));
		py_drop(outcome); /* the thread's frame has another */
	}
	if (over)
		release(e);
}

static void send(const struct reply *reply)
{
	if (reply->answer.length)
		control_send(reply->answer.type, reply->id, reply->answer.bytes,
			     reply->answer.length);
	else
		control_send_error(reply->id, &reply->err);
}

void evaluation_turn(void)
{
	for (int i = 0; i < LIMIT_EVALUATIONS; i++) {
		struct evaluation *e = &table[i];
		uint64_t now = sys_monotonic();
		struct reply reply = { 0 };

		if (!is_due(e, now) || !gil_take())
			continue;
		serve_one(e, now, &reply);
		py.PyErr_Clear();
		gil_give();
		if (reply.id)
			send(&reply);
	}
}

void evaluation_abandon_all(void)
{
	for (int i = 0; i < LIMIT_EVALUATIONS; i++) {
		struct evaluation *e = &table[i];

		if (!e->parts)
			continue;
		interrupt(e, sys_monotonic());
		py_done(py.PyObject_CallMethod(e->job, "clear", NULL));
		release(e);
	}
	py.PyErr_Clear();
}
