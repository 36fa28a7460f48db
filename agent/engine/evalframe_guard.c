/* SPDX-License-Identifier: MIT */
#include "agent/engine/evalframe_guard.h"

#include <sys/syscall.h>

#include "agent/engine/tstate.h"
#include "agent/fault.h"
#include "agent/maps.h"
#include "agent/sys.h"
#include "agent/thread_stack.h"

enum {
	CALL_BYTES = 512,     /* of C stack for a call; measured 480 */
	BASE_BYTES = 8 << 10, /* below the first call */
};

struct stack_need {
	uint64_t bytes;
	void *me;
	uint64_t found; /* the size that is too small */
};

/* A child that was forked in C, without PyOS_AfterFork_Child (uwsgi does so),
 * knows its main thread by an id of the parent's. */
static bool is_thread(long native)
{
	return sys_call(SYS_tgkill, sys_getpid(), native, 0, 0, 0, 0) == 0;
}

/* Do the pages below a stack end it? */
static bool has_guard(const struct mapping *stack)
{
	struct mapping below;

	return maps_find(stack->start - 1, &below) && !below.protection;
}

/* glibc and musl keep a thread's descriptor (pthread_self) at the top of its
 * stack's mapping, which begins behind a guard page. The main thread's lies
 * elsewhere. */
static int too_small(void *thread, void *arg)
{
	struct stack_need *need = arg;
	uintptr_t top = tstate_ident(thread);
	long native = PY_FIELD(long, thread, layout->thread_native);
	struct mapping mapping;

	if (thread == need->me || native == sys_getpid() ||
	    !maps_find(top, &mapping) || !mapping.anonymous)
		return 0;
	if (!is_thread(native) && !has_guard(&mapping))
		return 0;
	need->found = top - mapping.start;
	return need->found < need->bytes;
}

/* Appends a number in decimal to text. */
static void put_number(char *text, size_t size, uint64_t number)
{
	char digits[24];
	size_t n = sizeof digits - 1;
	size_t used = text_length(text);

	digits[n] = '\0';
	do
		digits[--n] = (char)('0' + number % 10);
	while (number /= 10);
	text_copy(text + used, size - used, digits + n);
}

static void put_text(char *text, size_t size, const char *more)
{
	size_t used = text_length(text);

	text_copy(text + used, size - used, more);
}

static int refuse(struct frame_error *err, const char *whose, uint64_t size,
		  int limit)
{
	char text[200] = "";

	put_text(text, sizeof text, whose);
	put_text(text, sizeof text, " of ");
	put_number(text, sizeof text, size);
	put_text(text, sizeof text,
		 " bytes is too small for the recursion "
		 "limit of ");
	put_number(text, sizeof text, (uint64_t)limit);
	put_text(text, sizeof text, ": with a probe set, Python 3.11 needs ");
	put_number(text, sizeof text, CALL_BYTES);
	put_text(text, sizeof text, " bytes for each call");
	fault_set(err, ERROR_ENGINE, text, "");
	return fault_remedy(err, "lower sys.setrecursionlimit(), or give more "
				 "stack (ulimit -s, threading.stack_size)");
}

int evalframe_guard(struct frame_error *err)
{
	struct stack_need need = { .me = tstate_current() };
	int limit;

	if (py.minor < 11)
		return 0;
	limit = py.Py_GetRecursionLimit();
	need.bytes = (uint64_t)limit * CALL_BYTES + BASE_BYTES;
	if (thread_stack_main() < need.bytes)
		return refuse(err, "the stack of the main thread",
			      thread_stack_main(), limit);
	if (thread_stack_new() < need.bytes)
		return refuse(err, "the stack of new threads",
			      thread_stack_new(), limit);
	if (tstate_each(too_small, &need))
		return refuse(err, "the stack of a thread", need.found, limit);
	return 0;
}
