/* SPDX-License-Identifier: MIT */
#include "agent/fork_guard.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/fork_warning.h"
#include "agent/gil_lock.h"
#include "agent/python.h"
#include "agent/states_lock.h"
#include "agent/sys.h"

enum {
	TICK_US = 50,
	GRACE_US = 1000, /* from the list of handlers into one of them */
	FORK_MS = 1000,	 /* a fork is over by then, or never */
};

/* How long a fork waits for each step at most. A new thread state takes
 * microseconds, unless the one that forks has the lock itself: PyOS_BeforeFork
 * of 3.13 takes it. */
static const unsigned patience_ms[] = {
	[FORK_NEW] = 20,
	[FORK_TAKING] = 50,
	[FORK_INSIDE] = 500,
};

static fork_register *registers;
static fork_finalize *finalizes;

/* Whose handlers they are: an address of ours stands for the library. */
static char owner;
static bool registered;
static int our_tid;
static void (*tell_child)(void);

/* Each side first says that it comes and then looks at the other: both are
 * sequentially consistent, so that one of them sees the other. */
static atomic_int step;
static atomic_int forks; /* from prepare() to in_parent() */

/* Has the calling thread the GIL? In a subinterpreter of 3.11 and earlier the
 * answer is no. */
static bool has_gil(void)
{
	void *current = py._PyThreadState_UncheckedGet
				? py._PyThreadState_UncheckedGet()
				: py.PyThreadState_GetUnchecked();

	/* 3.12+ keeps it for each thread, earlier ones for the one GIL. */
	return current && (py.minor >= 12 ||
			   (py.PyGILState_GetThisThreadState &&
			    py.PyGILState_GetThisThreadState() == current));
}

/* Must a fork wait for us? Who has the GIL may fork while we wait for it. */
static bool is_in_the_way(int at)
{
	return at == FORK_NEW || (at != FORK_OUT && !has_gil());
}

/* On the thread that forks, before it does. */
static void prepare(void)
{
	uint64_t start = 0, now;
	int at;

	atomic_fetch_add(&forks, 1);
	if (has_gil())
		fork_warning_settle();
	/* Code that the agent runs for a user may fork, too. */
	if (atomic_load(&step) == FORK_OUT || sys_gettid() == our_tid)
		return;
	while (is_in_the_way(at = atomic_load(&step))) {
		now = sys_monotonic();
		if (!start)
			start = now;
		if (now - start > patience_ms[at] * (uint64_t)1000000)
			return;
		sys_sleep_us(TICK_US);
	}
}

static void in_parent(void)
{
	if (has_gil())
		fork_warning_hush();
	atomic_fetch_sub(&forks, 1);
}

/* Our thread is not there, nor are those that fork at the same time. */
static void in_child(void)
{
	int at = atomic_exchange(&step, FORK_OUT);

	atomic_store(&forks, 0);
	gil_lock_renew(at == FORK_INSIDE && !has_gil());
	if (at != FORK_OUT)
		states_lock_renew();
	tell_child();
}

void fork_guard_use(fork_register *registers_, fork_finalize *finalizes_)
{
	registers = registers_;
	finalizes = finalizes_;
}

void fork_guard_begin(void (*orphaned)(void))
{
	tell_child = orphaned;
	our_tid = sys_gettid();
	gil_lock_find();
	states_lock_find();
	if (registers && finalizes)
		registered =
			registers(prepare, in_parent, in_child, &owner) == 0;
}

/* Waits for the forks that are under way, for so long; true: there is none. */
static bool wait_for_forks(unsigned ms)
{
	for (unsigned us = 0; atomic_load(&forks); us += TICK_US) {
		if (us >= ms * 1000)
			return false;
		sys_sleep_us(TICK_US);
	}
	return true;
}

/* glibc calls a handler without its lock (2.36 and later), a few instructions
 * after it found it in its list: it must not be unmapped in that moment. A fork
 * that found prepare() and no longer in_parent() is counted for ever. */
bool fork_guard_end(void)
{
	if (!registered)
		return true;
	wait_for_forks(FORK_MS);
	finalizes(&owner);
	registered = false;
	sys_sleep_us(GRACE_US);
	return wait_for_forks(FORK_MS);
}

void fork_guard_step(enum fork_step next)
{
	bool enters = atomic_exchange(&step, next) == FORK_OUT && next;

	while (enters && atomic_load(&forks)) {
		atomic_store(&step, FORK_OUT);
		enters = wait_for_forks(FORK_MS);
		atomic_store(&step, next);
	}
}
