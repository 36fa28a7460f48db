/* SPDX-License-Identifier: MIT */
#include "agent/engine/evalframe_lines.h"

#include "agent/armed.h"
#include "agent/engine/evalframe.h"
#include "agent/hit.h"
#include "agent/memory.h"
#include "agent/signalled.h"

enum {
	TRACE_LINE = 2, /* PyTrace_LINE */
	TRACE_RETURN = 3,
	BUCKETS = 64,
};

/* A thread that was on at least once. */
struct traced {
	struct traced *next;
	void *thread;
	py_tracefunc *original; /* the program's, while ours is there */
	void *stopped_in;	/* the frame of a hit_line() in progress */
	bool on;
};

int lines_count;
static struct traced *buckets[BUCKETS];
static bool used;    /* was any thread ever on? */
static bool stopped; /* we are leaving */

static struct traced **bucket_of(const void *thread)
{
	uintptr_t address = (uintptr_t)thread;

	return &buckets[(address >> 4 ^ address >> 10) % BUCKETS];
}

static struct traced *traced_find(const void *thread)
{
	struct traced *t = *bucket_of(thread);

	while (t && t->thread != thread)
		t = t->next;
	return t;
}

static struct traced *traced_make(void *thread)
{
	struct traced **bucket = bucket_of(thread);
	struct traced *t = traced_find(thread);

	if (t)
		return t;
	t = memory_get(sizeof *t);
	if (!t)
		return NULL;
	t->thread = thread;
	t->next = *bucket;
	*bucket = t;
	return t;
}

bool lines_on(const void *thread)
{
	const struct traced *t = lines_count ? traced_find(thread) : NULL;

	return t && t->on;
}

static void count(struct traced *t, bool on)
{
	if (t->on == on)
		return;
	t->on = on;
	lines_count += on ? 1 : -1;
	evalframe_choose_hook();
}

void lines_set(void *thread, bool on)
{
	struct traced *t;
	bool ours = tstate_trace(thread) == lines_trace;

	on = on && !stopped;
	t = on ? traced_make(thread) : traced_find(thread);
	if (!t)
		return;
	used |= on;
	count(t, on);
	if (on && !ours) {
		t->original = tstate_trace(thread);
		tstate_set_trace(thread, lines_trace);
	} else if (!on && ours) {
		tstate_set_trace(thread, t->original);
	}
}

/*
 * Is a thread on in its innermost frame, and in the caller of each that is in
 * the shim? Frames whose lines are wanted say yes. What else is in the shim
 * says no, as it takes care of its end. All others say what their caller says,
 * because nobody switches when they return.
 */
static bool settle_chain(void *frame)
{
	bool on = false, *answer = &on;

	for (int i = 0; frame && i < FRAMES_DEEPEST; i++) {
		bool *returns = evalframe_returns(frame);
		bool wanted =
			lines_wanted(code_find(frames_layout_code(frame)));

		if (wanted || returns) {
			if (answer)
				*answer = wanted;
			answer = returns;
		}
		frame = PY_FIELD(void *, frame, layout->frame_back);
	}
	if (answer)
		*answer = false;
	return on;
}

static int settle_thread(void *thread, void *arg)
{
	lines_set(thread, settle_chain(tstate_frame(thread)));
	return 0;
}

static int is_thread(void *thread, void *arg)
{
	return thread == arg;
}

/* Threads end without a word. */
static void forget_dead(void)
{
	for (int i = 0; i < BUCKETS; i++) {
		struct traced **link = &buckets[i];

		while (*link) {
			struct traced *t = *link;

			if (tstate_each(is_thread, t->thread)) {
				link = &t->next;
				continue;
			}
			*link = t->next;
			count(t, false);
			memory_put(t, sizeof *t);
		}
	}
}

static void see_wanted(struct code *code, void *arg)
{
	used |= lines_wanted(code);
}

void lines_settle(void)
{
	if (!used)
		code_each(see_wanted, NULL);
	if (!used)
		return;
	forget_dead();
	tstate_each(settle_thread, NULL);
}

/* A line is about to run. */
static void at_line(void *thread, void *frame, struct object *object)
{
	struct code *code = code_find(frames_layout_code(frame));
	struct traced *t = traced_find(thread);
	int line;

	if (!t || !lines_wanted(code) || hit_busy())
		return;
	line = py.PyFrame_GetLineNumber(object);
	if (!code_stops_at(code, line))
		return;
	t->stopped_in = frame;
	hit_line(code, frame, line);
	t->stopped_in = NULL;
	/* A tracer that came meanwhile goes behind ours. */
	if (t->on && !stopped)
		lines_set(thread, true);
}

/* The thread's own function, to go on with. */
static py_tracefunc *original_of(const void *thread)
{
	const struct traced *t = traced_find(thread);

	return t ? t->original : NULL;
}

/* A frame that nobody else sees returning: one that ran already. */
static void left(void *thread, void *frame)
{
	void *caller = PY_FIELD(void *, frame, layout->frame_back);

	if (!evalframe_returns(frame))
		lines_set(thread, settle_chain(caller));
}

/* Returns the function to go on with. */
static py_tracefunc *on_event(void *thread, struct object *object, int what)
{
	py_tracefunc *now;

	if (callback_enter()) {
		void *frame = evalframe_frames->ops.of_object(object);

		if (what == TRACE_LINE)
			at_line(thread, frame, object);
		else if (what == TRACE_RETURN)
			left(thread, frame);
		callback_leave();
	} else if (tstate_trace(thread) == lines_trace) {
		/* A child after fork: nobody will take it away. */
		tstate_set_trace(thread, original_of(thread));
	}
	now = tstate_trace(thread);
	return now == lines_trace ? original_of(thread) : now;
}

int lines_trace(struct object *self, struct object *frame, int what,
		struct object *arg)
{
	void *thread = tstate_current();
	py_tracefunc *next = on_event(thread, frame, what);

	if (what == TRACE_LINE && signalled_raise())
		return -1;
	if (!next)
		return 0;
	/* What ran in between may have replaced the object. */
	return next(tstate_trace_object(thread), frame, what, arg);
}

/* Sets ValueError, as CPython does where a jump cannot be. */
static int refuse(const char *reason)
{
	struct object *builtins = py.PyEval_GetBuiltins();
	struct object *type =
		builtins ? py.PyDict_GetItemString(builtins, "ValueError")
			 : NULL;

	if (!type || !py_is(type, py.PyType_Type))
		type = py.PyExc_BaseException;
	py.PyErr_Restore(py_ref(type), py.PyUnicode_InternFromString(reason),
			 NULL);
	return -1;
}

/* CPython wants a line event of a frame with f_trace, whatever that is: it has
 * one for as long as the line is set. */
static int set_line(struct object *object, int line)
{
	struct object *before = py_attr(object, "f_trace");
	struct object *number = py.PyLong_FromLong(line);
	struct py_error error;
	int result = -1;

	if (before && number &&
	    py.PyObject_SetAttrString(object, "f_trace", py._Py_TrueStruct) ==
		    0) {
		result = py.PyObject_SetAttrString(object, "f_lineno", number);
		py_error_save(&error);
		py_done(py.PyObject_SetAttrString(object, "f_trace", before) ==
					0
				? py_ref(before)
				: NULL);
		py_error_restore(&error);
	}
	py_drop(before);
	py_drop(number);
	return result;
}

int lines_jump(void *frame, int line)
{
	void *thread = tstate_current();
	const struct traced *t = traced_find(thread);
	struct object *object = evalframe_frames->object(frame);

	if (!t || t->stopped_in != frame || !object)
		return refuse("can only jump from a line, not from a call");
	if (tstate_trace(thread) != lines_trace || t->original ||
	    tstate_trace_object(thread))
		return refuse("cannot jump while the program is traced "
			      "(sys.settrace) on this version of Python");
	return set_line(object, line);
}

void lines_start(void)
{
	stopped = used = false;
}

static int take(void *thread, void *arg)
{
	lines_set(thread, false);
	return 0;
}

void lines_stop(void)
{
	stopped = true;
	tstate_each(take, NULL);
}

void lines_finish(void)
{
	lines_stop();
	for (int i = 0; i < BUCKETS; i++)
		buckets[i] = NULL;
	lines_count = 0;
}
