/* SPDX-License-Identifier: MIT */
#include "agent/engine/evalframe_proof.h"

#include "agent/bootstrap.h"
#include "agent/engine/evalframe.h"
#include "agent/engine/tstate.h"
#include "agent/fault.h"

enum { TRACE_LINE = 2 }; /* PyTrace_LINE */

static const char report[] = "this build of Python is laid out differently "
			     "from CPython's own; please report its version";

static struct {
	void *thread; /* the control thread's */
	struct object *code;
	evaluator *next;
	bool seen, good;
} proof;

static int differs(struct frame_error *err, const char *what)
{
	fault_set(err, ERROR_ENGINE, "unknown layout of ", what);
	return fault_remedy(err, report);
}

static bool known_interp(const void *wanted)
{
	void *interp = py.PyInterpreterState_Head();

	while (interp && interp != wanted)
		interp = py.PyInterpreterState_Next(interp);
	return interp != NULL;
}

void *evalframe_prove_thread(struct frame_error *err)
{
	void *thread;

	if (layout_find(py.minor) < 0) {
		fault_set(err, ERROR_UNSUPPORTED,
			  "no frame layout for this Python: ",
			  py.Py_GetVersion());
		return NULL;
	}
	/* Py_TRACE_REFS puts two words before each object. */
	if (!py_is(py.PyLong_Type, py.PyType_Type)) {
		differs(err, "objects");
		return NULL;
	}
	thread = tstate_current();
	if (!thread || !known_interp(tstate_interp(thread)) ||
	    tstate_ident(thread) != py.PyThread_get_thread_ident() ||
	    tstate_profile(thread)) {
		differs(err, "thread states");
		return NULL;
	}
	return tstate_interp(thread);
}

/* Does an attribute of the code equal the pointer in the field? */
static bool same_object(struct object *code, const char *name, int offset)
{
	struct object *value = py_attr(code, name);
	bool same = value && value == PY_FIELD(struct object *, code, offset);

	py_drop(value);
	return same;
}

static bool same_int(struct object *code, const char *name, int offset)
{
	return py_attr_long(code, name, -1) == PY_FIELD(int, code, offset);
}

static bool good_code(struct object *code)
{
	return same_object(code, "co_name", layout->code_name) &&
	       same_object(code, "co_filename", layout->code_filename) &&
	       same_int(code, "co_firstlineno", layout->code_line) &&
	       same_int(code, "co_flags", layout->code_flags);
}

static struct {
	struct object *code;
	int lines;
	bool good;
} traced;

/* Sees the lines of a module, on this thread alone; what else runs on it is
 * the program's (an audit hook of 3.8+ that asks to be traced). */
static int trace(struct object *self, struct object *object, int what,
		 struct object *arg)
{
	void *thread = tstate_current();
	void *frame = evalframe_frames->ops.of_object(object);
	struct object *names =
		PY_FIELD(struct object *, frame, layout->frame_namespace);

	if (what != TRACE_LINE || frames_layout_code(frame) != traced.code)
		return 0;
	traced.lines++;
	traced.good = traced.good && tstate_tracing(thread) == 1 &&
		      !tstate_trace_object(thread) &&
		      evalframe_frames->object(frame) == object &&
		      py_is(names, py.PyDict_Type);
	return 0;
}

int evalframe_prove_trace(struct frame_error *err)
{
	void *thread = tstate_current();

	if (!tstate_find_tracers() || tstate_tracing(thread) ||
	    tstate_trace(thread))
		return differs(err, "the state of tracing");
	traced.lines = 0;
	traced.good = true;
	/* `pass` is no code before 3.10. */
	traced.code = bootstrap_compile("[]\n[]");
	tstate_set_trace(thread, trace);
	bootstrap_execute(traced.code);
	tstate_set_trace(thread, NULL);
	py_drop(traced.code);
	if (traced.lines == 2 && traced.good)
		return 0;
	return differs(err, "the interpreter: lines were not seen");
}

/* A module's frame that has not begun, on line 1, with a dict for its
 * globals. */
static bool good_frame(void *frame)
{
	struct object *code = frames_layout_code(frame);
	struct object *globals =
		PY_FIELD(struct object *, frame, layout->frame_globals);

	return code && py_is(code, py.PyCode_Type) && globals &&
	       py_is(globals, py.PyDict_Type) && good_code(code) &&
	       evalframe_frames->fresh(frame) && frames_layout_line(frame) == 1;
}

/* Other threads pass through as well, and so may the program's audit hooks
 * (3.8+) on this one. */
static struct object *hook(void *a, void *b, int c)
{
	void *frame = py.minor < 9 ? a : b;

	if (tstate_current() == proof.thread) {
		proof.seen = true;
		if (frames_layout_code(frame) == proof.code)
			proof.good = good_frame(frame);
	}
	return proof.next(a, b, c);
}

int evalframe_prove_frame(struct hookpage *page, struct frame_error *err)
{
	evaluator *entry = (evaluator *)hookpage_entry(page);

	proof.thread = tstate_current();
	proof.next = (evaluator *)page->previous;
	proof.seen = proof.good = false;
	proof.code = bootstrap_compile("pass");
	page->hook = (void *)hook;
	evaluator_replace(proof.next, entry);
	bootstrap_execute(proof.code);
	evaluator_replace(entry, proof.next);
	page->hook = page->previous;
	py_drop(proof.code);
	if (!proof.seen)
		return differs(err, "the interpreter: the frame evaluation "
				    "hook was not called");
	return proof.good ? 0 : differs(err, "frames or code objects");
}
