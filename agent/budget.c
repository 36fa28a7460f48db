/* SPDX-License-Identifier: MIT */
#include "agent/budget.h"

#include <linux/time_types.h>
#include <sys/syscall.h>

#include "agent/bootstrap.h"
#include "agent/python.h"
#include "agent/sys.h"
#include "agent/thread.h"

#define MS 1000000u

enum {
	/* The clock of another thread of this process (the kernel's
	 * CPUCLOCK_SCHED and CPUCLOCK_PERTHREAD_MASK). */
	THREAD_CLOCK = 6,
	WALL_FACTOR = 10,
	WALL_LEAST_MS = 400,
};

static struct budget *open; /* GIL */
static struct budget *lent; /* GIL */
static int open_count;	    /* read without the GIL */
static int watched;	    /* probes with a script; control thread */

void budget_begin(struct budget *budget, uint32_t ms)
{
	*budget = (struct budget){
		.next = open,
		.thread = py.PyThread_get_thread_ident(),
		.kernel_id = thread_kernel_id(),
		.ms = ms,
	};
	open = budget;
	__atomic_store_n(&open_count, open_count + 1, __ATOMIC_RELAXED);
}

/* An interruption that did not arrive yet arrives here. To take it back with
 * PyThreadState_SetAsyncExc(NULL) leaves the interpreter's flag for it set
 * (<= 3.11), and that disturbs what is traced later. */
static void let_arrive(void)
{
	struct object *function = bootstrap_function("let_arrive");
	struct py_error saved;

	py_error_save(&saved);
	if (function)
		py_done(py.PyObject_CallObject(function, NULL));
	py_error_restore(&saved);
}

bool budget_end(struct budget *budget)
{
	struct budget **at = &open;

	while (*at && *at != budget)
		at = &(*at)->next;
	if (*at)
		*at = budget->next;
	__atomic_store_n(&open_count, open_count - 1, __ATOMIC_RELAXED);
	if (budget->interrupted)
		let_arrive();
	return budget->interrupted;
}

struct budget *budget_of_thread(void)
{
	struct budget *found = NULL;
	unsigned long thread;

	if (!open)
		return NULL;
	thread = py.PyThread_get_thread_ident();
	for (struct budget *b = open; b; b = b->next)
		if (b->thread == thread)
			found = b;
	return found;
}

void budget_lend(struct budget *budget, unsigned long thread)
{
	*budget = (struct budget){ .next = lent, .thread = thread };
	lent = budget;
}

void budget_return(struct budget *budget)
{
	struct budget **at = &lent;

	while (*at && *at != budget)
		at = &(*at)->next;
	if (*at)
		*at = budget->next;
}

struct budget *budget_lent(void)
{
	unsigned long thread;

	if (!lent)
		return NULL;
	thread = py.PyThread_get_thread_ident();
	for (struct budget *b = lent; b; b = b->next)
		if (b->thread == thread)
			return b;
	return NULL;
}

bool budget_wanted(void)
{
	return __atomic_load_n(&open_count, __ATOMIC_RELAXED) > 0;
}

void budget_watch(bool on)
{
	watched += on ? 1 : -1;
}

bool budget_watched(void)
{
	return watched > 0;
}

static uint64_t thread_cpu(int kernel_id)
{
	struct __kernel_timespec now = { 0 };
	long clock = (long)(~kernel_id) << 3 | THREAD_CLOCK;

	sys_call(SYS_clock_gettime, clock, (long)&now, 0, 0, 0, 0);
	return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static bool over_time(struct budget *budget)
{
	uint64_t cpu = thread_cpu(budget->kernel_id), wall = sys_monotonic();
	uint64_t most = (uint64_t)budget->ms * MS;

	if (!budget->seen) {
		budget->seen = true;
		budget->cpu = cpu;
		budget->wall = wall;
		return false;
	}
	return cpu - budget->cpu >= most ||
	       wall - budget->wall >=
		       most * WALL_FACTOR + (uint64_t)WALL_LEAST_MS * MS;
}

void budget_enforce(void)
{
	for (struct budget *b = open; b; b = b->next) {
		if (!b->ms || !over_time(b))
			continue;
		b->interrupted = true;
		/* The symbol is that of a pointer to the type. */
		py.PyThreadState_SetAsyncExc(
			b->thread,
			PY_FIELD(struct object *, py.PyExc_BaseException, 0));
	}
}
