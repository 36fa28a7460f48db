/* SPDX-License-Identifier: MIT */
#include "agent/gil.h"

#include "agent/fork_guard.h"
#include "agent/python.h"
#include "agent/sys.h"

/* The last 3.N whose fork minds a thread state that is made without the GIL:
 * the child takes the lock of the thread states before it makes it anew
 * (PyOS_AfterFork_Child: _PyEval_ReInitThreads comes before
 * _PyRuntimeState_ReInitThreads). Up to there ours is kept until we leave. */
#define FORK_MINDS_NEW_STATES 11

/* PyGILState_UNLOCKED: what Ensure answers to a thread that is new; Release
 * then deletes its state. */
#define NEW_THREAD 1

enum {
	DOMAIN_RAW = 0,	       /* PYMEM_DOMAIN_RAW */
	STATE_SIZE = 1024,     /* of a PyThreadState at most, <= 3.11 */
	STATE_INTERPRETER = 16 /* PyThreadState.interp, <= 3.11 */
};

/* Our thread state while the GIL is not ours; NULL: there is none. */
static void *kept;

/* The interpreter began to finalize in a pause: its thread states may be gone,
 * and gil_give() must not touch ours. */
static bool lost;

/* The builtins of the interpreter that was entered, whose address is no
 * other's while the agent's Python part holds them; NULL: none was. */
static struct object *entered;

/* That interpreter is no more. There may be another: a program that embeds
 * Python can finalize and initialize it. */
static bool over;

/* Each initialization makes the key anew by which a thread finds its state. */
static bool is_there(void *state)
{
	return !py.PyGILState_GetThisThreadState ||
	       py.PyGILState_GetThisThreadState() == state;
}

/* PyGILState_Ensure() in its two parts, the first without the GIL; and
 * without its fatal error where memory is short. */
static void *next_state(void)
{
	void *state;

	fork_guard_step(FORK_NEW);
	state = py.PyThreadState_New(py.PyInterpreterState_Main());
	if (!state)
		return NULL;
	fork_guard_step(FORK_TAKING);
	py.PyEval_RestoreThread(state);
	return state;
}

/* With tracemalloc the memory of a thread state is asked for by a function that
 * takes the GIL itself (PyGILState_Ensure), for ever if this thread has it in a
 * name that is in no list. Python's own allocator has no context. Said under
 * the GIL, which whoever sets another has. */
static bool memory_is_plain(void)
{
	struct py_allocator raw;

	py.PyMem_GetAllocator(DOMAIN_RAW, &raw);
	return !raw.context;
}

/* <= 3.11: takes the GIL in the name of a thread state that is in no list, then
 * makes one: the lock of the thread states is taken with the GIL alone, as
 * Python's own threads do, and so never while os.fork() runs. To take the GIL
 * needs nothing of a state but its interpreter; that states are swapped under
 * the GIL is foreseen (drop_gil: "switched under our feet"). */
static void *first_state(void)
{
	static void *borrowed[STATE_SIZE / sizeof(void *)];
	void *interpreter = py.PyInterpreterState_Main(), *state;

	borrowed[STATE_INTERPRETER / sizeof(void *)] = interpreter;
	fork_guard_step(FORK_TAKING);
	py.PyEval_RestoreThread(borrowed);
	fork_guard_step(FORK_INSIDE);
	if (!memory_is_plain()) {
		py.PyEval_SaveThread();
		fork_guard_step(FORK_OUT);
		return next_state();
	}
	state = py.PyThreadState_New(interpreter);
	if (state)
		py.PyThreadState_Swap(state);
	else
		py.PyEval_SaveThread();
	return state;
}

void gil_leave(void)
{
	if (!lost)
		py.PyGILState_Release(NEW_THREAD);
	fork_guard_step(FORK_OUT);
}

void gil_entered(void)
{
	entered = py.PyEval_GetBuiltins();
}

bool gil_take(void)
{
	/* Ensure would make a thread state in an interpreter that is being
	 * freed: 3.14 crashed in 6 of 6 late finalizations. */
	if (over || !py.Py_IsInitialized())
		return false;
	over = kept && !is_there(kept);
	if (over)
		return false;
	if (kept) {
		fork_guard_step(FORK_TAKING);
		py.PyEval_RestoreThread(kept);
	} else if (!(py.minor > FORK_MINDS_NEW_STATES ? next_state()
						      : first_state())) {
		fork_guard_step(FORK_OUT);
		return false;
	}
	fork_guard_step(FORK_INSIDE);
	kept = NULL;
	lost = false;
	over = entered && py.PyEval_GetBuiltins() != entered;
	if (over)
		gil_leave();
	return !over;
}

void gil_give(void)
{
	if (py.minor > FORK_MINDS_NEW_STATES) {
		gil_leave();
		return;
	}
	if (!lost)
		kept = py.PyEval_SaveThread();
	fork_guard_step(FORK_OUT);
}

bool gil_pause(unsigned microseconds)
{
	void *state;

	if (lost)
		return false;
	state = py.PyEval_SaveThread();
	fork_guard_step(FORK_OUT);
	sys_sleep_us(microseconds);
	if (!py.Py_IsInitialized() || !is_there(state)) {
		lost = true;
		return false;
	}
	fork_guard_step(FORK_TAKING);
	py.PyEval_RestoreThread(state);
	fork_guard_step(FORK_INSIDE);
	return true;
}
