/* SPDX-License-Identifier: MIT */
#include "agent/engine/tstate.h"

enum { TRACERS_END = 1024 }; /* the count is before that */

int tstate_each(tstate_visit *visit, void *arg)
{
	for (void *interp = py.PyInterpreterState_Head(); interp;
	     interp = py.PyInterpreterState_Next(interp)) {
		for (void *thread = py.PyInterpreterState_ThreadHead(interp);
		     thread; thread = py.PyThreadState_Next(thread)) {
			int end = visit(thread, arg);

			if (end)
				return end;
		}
	}
	return 0;
}

/* Where the count is in _PyRuntime (<= 3.8) or in an interpreter (3.9). */
static int tracers_offset;

void *tstate_frame(void *thread)
{
	void *cframe;

	if (!layout->cframe_frame)
		return PY_FIELD(void *, thread, layout->thread_frame);
	/* NULL for a moment in a thread state that is being made (3.11: it
	 * is in the list before init_threadstate filled it in). */
	cframe = PY_FIELD(void *, thread, layout->thread_cframe);
	return cframe ? PY_FIELD(void *, cframe, layout->cframe_frame) : NULL;
}

/* What CPython derives from the two functions at each change. */
static void set_use_tracing(void *thread, bool on)
{
	unsigned char *flag;

	if (layout->thread_use_tracing) {
		PY_FIELD(int, thread, layout->thread_use_tracing) = on;
		return;
	}
	flag = PY_FIELD(unsigned char *, thread, layout->thread_cframe);
	if (layout->cframe_frame) {
		/* 3.11 or-s it to the opcode, and keeps it 0 while a trace
		 * function runs. */
		on = on && !PY_FIELD(int, thread, layout->thread_tracing);
		*flag = on ? 255 : 0;
	} else {
		*(int *)flag = on;
	}
}

void tstate_set_profile(void *thread, py_tracefunc *function)
{
	py_tracefunc **functions =
		&PY_FIELD(py_tracefunc *, thread, layout->thread_profile);

	functions[0] = function;
	set_use_tracing(thread, function || functions[1]);
}

/* The evaluator looks for trace functions only while this count is not 0. */
static int *tracers(void *thread)
{
	char *base = (char *)py._PyRuntime;

	if (layout->interp_tracers)
		base = tstate_interp(thread);
	else if (!layout->runtime_tracers)
		return NULL;
	return (int *)(base + tracers_offset);
}

void tstate_set_trace(void *thread, py_tracefunc *function)
{
	py_tracefunc **functions =
		&PY_FIELD(py_tracefunc *, thread, layout->thread_profile);
	int *count = tracers(thread);

	if (count)
		*count += (function != NULL) - (functions[1] != NULL);
	functions[1] = function;
	set_use_tracing(thread, function || functions[0]);
}

void tstate_hush(void *thread, bool on)
{
	PY_FIELD(int, thread, layout->thread_tracing) += on ? 1 : -1;
	set_use_tracing(thread, !on && (tstate_trace(thread) ||
					tstate_profile(thread)));
}

/* The recursion limit comes before the count. */
static bool is_count(int offset)
{
	const int *count;

	tracers_offset = offset;
	count = tracers(tstate_current());
	return count[-1] == py.Py_GetRecursionLimit() && count[0] >= 0;
}

/* A release may have moved it: 3.7 and 3.8 changed what comes before. */
bool tstate_find_tracers(void)
{
	int expected = layout->interp_tracers + layout->runtime_tracers;

	if (!expected || is_count(expected))
		return true;
	for (int offset = 4; offset < TRACERS_END; offset += 4)
		if (is_count(offset))
			return true;
	return false;
}
