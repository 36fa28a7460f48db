/* SPDX-License-Identifier: MIT */
#include "agent/signalled.h"

#include "agent/expression.h"
#include "agent/sys.h"
#include "agent/thread.h"

static struct py_error taken;
static bool waits;

/* On Python's main thread, between two instructions of the program. */
static int give(void *unused)
{
	struct py_error error = taken;

	waits = false;
	taken = (struct py_error){ NULL, NULL, NULL };
	py_error_restore(&error);
	return -1;
}

static bool is_of_handler(const struct py_error *error)
{
	struct object *traceback = error->traceback, *item[2], *answer;
	bool is;

	/* From 3.12 on there is the exception alone, before there may be the
	 * type alone. */
	item[0] = py_ref(error->type ? error->type : error->value->type);
	if (!traceback && !error->type)
		traceback = py_attr(error->value, "__traceback__");
	else
		traceback = py_ref(traceback ? traceback : py._Py_NoneStruct);
	item[1] = traceback ? traceback : py_ref(py._Py_NoneStruct);
	answer = expression_call("is_of_handler", 2, item);
	is = answer == py._Py_TrueStruct;
	py_drop(answer);
	py.PyErr_Clear();
	return is;
}

bool signalled_take(const struct py_error *error)
{
	if (waits || (!error->type && !error->value) ||
	    thread_kernel_id() != sys_getpid() || !is_of_handler(error))
		return false;
	taken = (struct py_error){ error->type, error->value,
				   error->traceback };
	if (taken.type)
		py_ref(taken.type);
	if (taken.value)
		py_ref(taken.value);
	if (taken.traceback)
		py_ref(taken.traceback);
	waits = py.Py_AddPendingCall(give, NULL) == 0;
	if (waits)
		return true;
	py_drop(taken.type);
	py_drop(taken.value);
	py_drop(taken.traceback);
	return false;
}

bool signalled_waits(void)
{
	return waits;
}
