/* SPDX-License-Identifier: MIT */
#include "agent/fork_warning.h"

#include <asm/stat.h>
#include <linux/fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "agent/bootstrap.h"
#include "agent/loaded.h"
#include "agent/sys.h"

enum {
	PROGRAM_AND_AGENT = 2, /* threads */
	DIRECTORY_LINKS = 2,   /* st_nlink of /proc/PID/task without threads */
	FIRST_MINOR = 12,
	/* What the program does after its fork (os.register_at_fork) comes
	 * before the warning. */
	FORK_MS = 100,
};

static struct object *own;	    /* a tuple: the filters; NULL: none */
static struct object *builtins;	    /* of their interpreter, which holds them */
static struct object *list;	    /* that they are in, or NULL */
static atomic_uint_least64_t since; /* when they were put there, or 0 */

void fork_warning_begin(void)
{
	struct object *make;

	if (py.minor < FIRST_MINOR)
		return;
	make = bootstrap_function("fork_filters");
	if (make)
		own = py.PyObject_CallFunction(make, "i", sys_getpid());
	py.PyErr_Clear();
	builtins = py.PyEval_GetBuiltins();
}

/* Objects of one interpreter are nothing to another. */
static bool is_home(void)
{
	return own && py.PyEval_GetBuiltins() == builtins;
}

/* As the kernel counts; 0 when it cannot be told. */
static unsigned long count_threads(void)
{
	struct stat status;

	if (sys_call(SYS_newfstatat, AT_FDCWD, (long)"/proc/self/task",
		     (long)&status, 0, 0, 0) < 0)
		return 0;
	return status.st_nlink - DIRECTORY_LINKS;
}

/* The filters that the interpreter goes by, borrowed; NULL when they are not
 * what they were made as. */
static struct object *current_filters(void)
{
	struct object *found = loaded_now("warnings", "filters");

	if (!found)
		found = loaded_now("_warnings", "filters");
	return found && py_is(found, py.PyList_Type) ? found : NULL;
}

static bool is_own(const struct object *filter)
{
	for (long i = 0; i < py.PyTuple_Size(own); i++)
		if (py.PyTuple_GetItem(own, i) == filter)
			return true;
	return false;
}

static void remove_from(struct object *filters)
{
	for (long i = py.PyList_Size(filters); i-- > 0;)
		if (is_own(py.PyList_GetItem(filters, i)))
			py.PyList_SetSlice(filters, i, i + 1, NULL);
}

/* Since then the program may have entered a catch_warnings, which goes by a
 * copy of the list and has the list itself to go back to. */
void fork_warning_settle(void)
{
	struct py_error error;
	struct object *now;

	if (!list || !is_home())
		return;
	py_error_save(&error);
	now = current_filters();
	remove_from(list);
	if (now && now != list)
		remove_from(now);
	py_drop(list);
	list = NULL;
	atomic_store(&since, 0);
	py_error_restore(&error);
}

void fork_warning_hush(void)
{
	struct py_error error;
	struct object *filters;

	if (!is_home() || count_threads() != PROGRAM_AND_AGENT)
		return;
	fork_warning_settle();
	py_error_save(&error);
	filters = current_filters();
	if (filters) {
		list = py_ref(filters);
		for (long i = 0; i < py.PyTuple_Size(own); i++)
			py.PyList_Insert(filters, 0,
					 py.PyTuple_GetItem(own, i));
		atomic_store(&since, sys_monotonic());
	}
	py.PyErr_Clear();
	py_error_restore(&error);
}

bool fork_warning_due(void)
{
	uint64_t put = atomic_load(&since);

	return put && sys_monotonic() - put > FORK_MS * (uint64_t)1000000;
}

void fork_warning_end(void)
{
	fork_warning_settle();
	py_drop(own);
	own = NULL;
}
