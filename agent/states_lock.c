/* SPDX-License-Identifier: MIT */
#include "agent/states_lock.h"

#include <stddef.h>
#include <stdint.h>

#include "agent/python.h"
#include "agent/sys.h"

enum {
	/* _Py_DebugOffsets, 3.13+: runtime_state.interpreters_head */
	HEAD_OFFSET = 40,
	RUNTIME_SIZE = 1 << 20, /* more than any */
	WORD = sizeof(void *),

	MUTEX_BITS = 3, /* PyMutex: held, waited for */
};

/* pyruntime_state.interpreters.head of 3.12, before and after _finalizing_id
 * came. */
static const short heads_312[] = { 40, 48 };

static const char cookie[8] = "xdebugpy";

/* NULL: not found. */
static uint64_t *semaphore;
static uint8_t *mutex;

static bool is_head(ptrdiff_t at)
{
	return PY_FIELD(void *, py._PyRuntime, at) ==
	       py.PyInterpreterState_Head();
}

/* A semaphore of glibc: the value, and the waiters in the upper half. */
static void find_semaphore(void)
{
	for (size_t i = 0; i < sizeof heads_312 / sizeof heads_312[0]; i++) {
		ptrdiff_t at = heads_312[i];
		uint64_t *found;

		if (!is_head(at))
			continue;
		found = PY_FIELD(uint64_t *, py._PyRuntime, at - WORD);
		if (found && (uintptr_t)found % WORD == 0 &&
		    (uint32_t)__atomic_load_n(found, __ATOMIC_RELAXED) <= 1)
			semaphore = found;
		return;
	}
}

static void find_mutex(void)
{
	char *runtime = (char *)py._PyRuntime;
	uint64_t at = PY_FIELD(uint64_t, runtime, HEAD_OFFSET);

	if (memcmp(runtime, cookie, sizeof cookie) != 0 || at < WORD ||
	    at >= RUNTIME_SIZE || at % WORD || !is_head((ptrdiff_t)at))
		return;
	if ((PY_FIELD(uint8_t, runtime, at - WORD) & ~MUTEX_BITS) == 0)
		mutex = (uint8_t *)runtime + at - WORD;
}

void states_lock_find(void)
{
	if (!py._PyRuntime)
		return;
	if (py.minor == 12)
		find_semaphore();
	else if (py.minor > 12)
		find_mutex();
}

void states_lock_renew(void)
{
	if (semaphore)
		*semaphore = 1;
	if (mutex)
		*mutex = 0;
}
