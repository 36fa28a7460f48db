/* SPDX-License-Identifier: MIT */
#include "agent/gil.h"

#include "agent/fork_guard.h"
#include "agent/python.h"
#include "agent/sys.h"

/* The last 3.N where a thread state is made with forks kept out, and then kept
 * until the agent leaves: see fork_guard.h. */
#define FORK_MINDS_NEW_STATES 11

/* PyGILState_UNLOCKED: what Ensure answers to a thread that is new. */
#define NEW_THREAD 1

/* What PyGILState_Ensure answered, while the GIL is ours. */
static int token;

/* Our thread state while the GIL is not ours; NULL: there is none. */
static void *kept;

/* The interpreter began to finalize in a pause: its thread states may be gone,
 * and gil_give() must not touch ours. */
static bool lost;

/* PyGILState_Ensure() in its two parts, the first without the GIL. */
static bool take_first(void)
{
	void *state;

	fork_guard_up();
	state = py.PyThreadState_New(py.PyInterpreterState_Main());
	fork_guard_down();
	if (!state)
		return false;
	py.PyEval_RestoreThread(state);
	token = NEW_THREAD;
	return true;
}

bool gil_take(void)
{
	/* Ensure would make a thread state in an interpreter that is being
	 * freed: 3.14 crashed in 6 of 6 late finalizations. */
	if (!py.Py_IsInitialized())
		return false;
	if (kept)
		py.PyEval_RestoreThread(kept);
	else if (py.minor <= FORK_MINDS_NEW_STATES) {
		if (!take_first())
			return false;
	} else
		token = py.PyGILState_Ensure();
	kept = NULL;
	lost = false;
	return true;
}

void gil_leave(void)
{
	if (!lost)
		py.PyGILState_Release(token);
}

void gil_give(void)
{
	if (py.minor > FORK_MINDS_NEW_STATES)
		gil_leave();
	else if (!lost)
		kept = py.PyEval_SaveThread();
}

bool gil_pause(unsigned microseconds)
{
	void *state;

	if (lost)
		return false;
	state = py.PyEval_SaveThread();
	sys_sleep_us(microseconds);
	if (!py.Py_IsInitialized()) {
		lost = true;
		return false;
	}
	py.PyEval_RestoreThread(state);
	return true;
}
