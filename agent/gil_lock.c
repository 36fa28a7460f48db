/* SPDX-License-Identifier: MIT */
#include "agent/gil_lock.h"

#include <stddef.h>
#include <stdint.h>

#include "agent/python.h"
#include "agent/sys.h"

enum {
	/* struct _gil_runtime_state */
	INTERVAL = 0,	 /* microseconds, an unsigned long */
	LAST_HOLDER = 8, /* a thread state */
	LOCKED = 16,	 /* an int */
	CONDITION = 32,	 /* a mutex follows each of the two */
	SWITCHED = 120,	 /* FORCE_SWITCHING */
	CONDITION_SIZE = 48,
	MUTEX_SIZE = 40,

	INTERVAL_MOST_US = 600000000,
	/* Of an interpreter state, 3.12+, which has the GIL inside. */
	INTERPRETER_SIZE = 192 * 1024,

	STATE_INTERPRETER = 16, /* PyThreadState.interp */
	STATE_BREAKER = 24,	/* 3.13+: eval_breaker */
	BREAKER_DROP = 1,	/* its bit for a drop request */

	/* Of a condition variable: its flags, in the word that counts those who
	 * wait; glibc up to 2.40, and later. */
	FLAGS_OLD = 36,
	FLAGS_NEW = 28,
	FLAG_MONOTONIC = 2,
};

/* In _PyRuntime. */
static const short in_runtime[] = {
	[7] = 1264, [8] = 1152, [9] = 352, [10] = 352, [11] = 360,
};

/* Where one asks for the GIL, up to 3.12: an int in _PyRuntime (3.7, 3.8), or
 * in an interpreter. */
static const short drop_request[] = {
	[7] = 716, [8] = 596, [9] = 76, [10] = 72, [11] = 104, [12] = 372,
};

/* NULL: not found. */
static char *lock;
static int flags_at;

/* 3.12+: the interpreter's own, by a pointer into itself. */
static char *in_interpreter(void)
{
	char *interpreter = py.PyInterpreterState_Main();
	char *found;
	ptrdiff_t offset;

	if (!interpreter)
		return NULL;
	found = PY_FIELD(char *, interpreter, py.minor == 12 ? 384 : 16);
	offset = found - interpreter;
	return offset > 0 && offset < INTERPRETER_SIZE && offset % 8 == 0
		       ? found
		       : NULL;
}

/* Python makes both with the monotonic clock, 3.7 without. */
static bool has_flags(char *at, int offset)
{
	return PY_FIELD(unsigned, at, CONDITION + offset) & FLAG_MONOTONIC &&
	       PY_FIELD(unsigned, at, SWITCHED + offset) & FLAG_MONOTONIC;
}

static bool is_lock(char *at)
{
	unsigned long interval = PY_FIELD(unsigned long, at, INTERVAL);
	uintptr_t holder = PY_FIELD(uintptr_t, at, LAST_HOLDER);

	return interval && interval <= INTERVAL_MOST_US && holder &&
	       holder % 8 == 0 && (PY_FIELD(unsigned, at, LOCKED) & ~1u) == 0 &&
	       (has_flags(at, FLAGS_OLD) != has_flags(at, FLAGS_NEW) ||
		py.minor == 7);
}

void gil_lock_find(void)
{
	char *at;

	if (py.minor >= 12)
		at = in_interpreter();
	else
		at = (char *)py._PyRuntime + in_runtime[py.minor];
	if (!at || !is_lock(at))
		return;
	flags_at = has_flags(at, FLAGS_OLD) ? FLAGS_OLD : FLAGS_NEW;
	lock = at;
}

/* As pthread_cond_init() and pthread_mutex_init() leave them. */
static void renew(char *condition)
{
	unsigned flags =
		PY_FIELD(unsigned, condition, flags_at) & FLAG_MONOTONIC;

	if (py.minor == 7)
		flags = 0;

	memset(condition, 0, CONDITION_SIZE + MUTEX_SIZE);
	PY_FIELD(unsigned, condition, flags_at) = flags;
}

/* Somebody asked for the GIL who is not there: Python would give it up and wait
 * until it was taken (FORCE_SWITCHING). */
static void forget_request(void)
{
	char *interpreter = py.PyInterpreterState_Main();
	char *state;
	int *asked;

	if (py.minor <= 12) {
		asked = (int *)((py.minor <= 8 ? (char *)py._PyRuntime
					       : interpreter) +
				drop_request[py.minor]);
		if (*asked == 1)
			*asked = 0;
		return;
	}
	state = py.PyThreadState_GetUnchecked();
	if (state && PY_FIELD(char *, state, STATE_INTERPRETER) == interpreter)
		PY_FIELD(uintptr_t, state, STATE_BREAKER) &=
			~(uintptr_t)BREAKER_DROP;
}

void gil_lock_renew(bool open)
{
	if (!lock)
		return;
	forget_request();
	renew(lock + CONDITION);
	renew(lock + SWITCHED);
	if (open)
		PY_FIELD(int, lock, LOCKED) = 0;
}
