/* SPDX-License-Identifier: MIT */
#include "agent/signalled.h"

#include "agent/expression.h"
#include "agent/gil.h"
#include "agent/hit.h"
#include "agent/sys.h"
#include "agent/thread.h"

enum { SETTLE_US = 500, SETTLE_ROUNDS = 4000 };

static struct py_error taken;
static bool waits;  /* is there one? */
static bool queued; /* is the pending call? */

static bool is_main(void)
{
	return thread_kernel_id() == sys_getpid();
}

static void raise_taken(void)
{
	struct py_error error = taken;

	waits = false;
	taken = (struct py_error){ NULL, NULL, NULL };
	py_error_restore(&error);
}

/* On Python's main thread, between two instructions. */
static int give(void *unused)
{
	queued = false;
	if (!waits)
		return 0;
	raise_taken();
	return -1;
}

static bool is_of_handler(const struct py_error *error)
{
	struct object *type = error->type, *traceback = error->traceback;
	struct object *item[2], *answer;
	bool is;

	/* Before 3.12 there may be the type alone, then it is the exception. */
	if (type) {
		item[1] = py_ref(traceback ? traceback : py._Py_NoneStruct);
	} else {
		type = error->value->type;
		item[1] = py_attr(error->value, "__traceback__");
	}
	item[0] = py_ref(type);
	answer = expression_call("is_of_handler", 2, item);
	is = answer == py._Py_TrueStruct;
	py_drop(answer);
	py.PyErr_Clear();
	return is;
}

bool signalled_take(const struct py_error *error)
{
	if (waits || (!error->type && !error->value) || !is_main() ||
	    !is_of_handler(error))
		return false;
	if (!queued)
		queued = py.Py_AddPendingCall(give, NULL) == 0;
	if (!queued)
		return false;
	taken = *error;
	if (taken.type)
		py_ref(taken.type);
	if (taken.value)
		py_ref(taken.value);
	if (taken.traceback)
		py_ref(taken.traceback);
	waits = true;
	return true;
}

/* Not in the middle of what is ours: it would be taken again. */
bool signalled_raise(void)
{
	if (!waits || hit_busy() || !is_main())
		return false;
	raise_taken();
	return true;
}

bool signalled_settle(void)
{
	for (int i = 0; queued && i < SETTLE_ROUNDS; i++)
		if (!gil_pause(SETTLE_US))
			return false;
	return !queued;
}
