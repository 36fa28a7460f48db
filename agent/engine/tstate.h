/* SPDX-License-Identifier: MIT */
/*
 * tstate: CPython's thread states, 3.7-3.11, by layout: all threads of all
 * interpreters, the innermost frame of each, its profile and its trace
 * function. GIL held; no Python code runs, no reference is taken.
 *
 * The functions are set by their fields, not by PyEval_SetProfile: that
 * raises an audit event (3.8+), a hook of which may run Python and give up
 * the GIL; a sleeping audit hook crashed the target (facts/engines.md).
 */
#ifndef NOPDB_AGENT_ENGINE_TSTATE_H
#define NOPDB_AGENT_ENGINE_TSTATE_H

#include <stdint.h>

#include "agent/engine/layout.h"
#include "agent/python.h"

/* Non-zero ends the visit. */
typedef int tstate_visit(void *thread, void *arg);

/* Visits every thread state of every interpreter; returns what ended it. */
int tstate_each(tstate_visit *visit, void *arg);

/* The calling thread's. */
static inline void *tstate_current(void)
{
	return py._PyThreadState_UncheckedGet();
}

static inline void *tstate_interp(void *thread)
{
	return PY_FIELD(void *, thread, layout->thread_interp);
}

/* pthread_self() of its thread. */
static inline uintptr_t tstate_ident(void *thread)
{
	return PY_FIELD(uintptr_t, thread, layout->thread_ident);
}

/* The innermost frame that the interpreter knows of: a PyFrameObject, or an
 * interpreter frame on 3.11; NULL when the thread runs no Python. */
void *tstate_frame(void *thread);

static inline py_tracefunc *tstate_profile(void *thread)
{
	return PY_FIELD(py_tracefunc *, thread, layout->thread_profile);
}

/* Replaces the profile function and leaves its object alone. */
void tstate_set_profile(void *thread, py_tracefunc *function);

/* The same for the trace function, which follows it, 3.7-3.11. */
static inline py_tracefunc *tstate_trace(void *thread)
{
	return (&PY_FIELD(py_tracefunc *, thread, layout->thread_profile))[1];
}

/* What sys.gettrace() returns; borrowed, NULL: nothing. */
static inline struct object *tstate_trace_object(void *thread)
{
	return (&PY_FIELD(struct object *, thread, layout->thread_profile))[3];
}

void tstate_set_trace(void *thread, py_tracefunc *function);

/* In how many trace or profile functions the thread is. */
static inline int tstate_tracing(void *thread)
{
	return PY_FIELD(int, thread, layout->thread_tracing);
}

/* From true to false, what runs on the thread is neither traced nor profiled,
 * as if from within a trace function. */
void tstate_hush(void *thread, bool on);

/* <= 3.9: finds the count of threads that trace; false: not there. */
bool tstate_find_tracers(void);

#endif
