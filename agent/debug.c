/* SPDX-License-Identifier: MIT */
#include "agent/debug.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include "agent/armed.h"
#include "agent/control.h"
#include "agent/expression.h"
#include "agent/fault.h"
#include "agent/frames.h"
#include "agent/sys.h"

/* agent/bootstrap_source.S */
extern const char debug_source[] __attribute__((visibility("hidden")));

enum {
	MONITORING = 12, /* from 3.12 on the program waits in a callback */
	ARGUMENTS = 4,
};

int debug_parked;

static bool loaded;
static bool ending;
static uint32_t last_session;

/* Calls a function of agent/python/debug.py; takes the references. */
static struct object *call(const char *name, int count,
			   struct object *const *argument)
{
	struct object *tuple = py.PyTuple_New(count);
	struct object *item[] = { expression_text(name), tuple };

	for (int i = 0; i < count; i++) {
		/* SetItem takes the reference over, also when it fails. */
		if (!tuple)
			py_drop(argument[i]);
		else if (argument[i])
			py.PyTuple_SetItem(tuple, i, argument[i]);
		if (tuple && !argument[i])
			py.PyTuple_SetItem(tuple, i, py_ref(py._Py_NoneStruct));
	}
	return expression_call("debug", 2, item);
}

int debug_load(struct frame_error *err)
{
	struct object *item[1], *answer;

	if (loaded)
		return 0;
	item[0] = expression_text(debug_source);
	answer = expression_call("debug_load", 1, item);
	if (answer != py._Py_NoneStruct)
		return expression_refuse(answer, ERROR_CODE, err);
	py_drop(answer);
	loaded = true;
	return 0;
}

void debug_release(void)
{
	loaded = ending = false;
}

/* Raises what a hit reports. */
static int refuse(struct object *reason)
{
	struct object *builtins = py.PyEval_GetBuiltins();
	struct object *type =
		builtins ? py.PyDict_GetItemString(builtins, "RuntimeError")
			 : NULL;

	if (!type || !py_is(type, py.PyType_Type))
		type = PY_FIELD(struct object *, py.PyExc_BaseException, 0);
	py.PyErr_Restore(py_ref(type), reason, NULL);
	return -1;
}

/* Makes the socket and gives the daemon its end. */
static int open_wire(struct debug_stop *stop, uint32_t probe)
{
	struct frame_debug says = { probe, ++last_session };
	int ends[2], sent;

	if (sys_call(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		     (long)ends, 0, 0) < 0)
		return refuse(expression_text("no socket for the debugger"));
	sent = control_send_fd(FRAME_DEBUG, &says, sizeof says, ends[1]);
	sys_close(ends[1]);
	if (sent < 0) {
		sys_close(ends[0]);
		return refuse(expression_text("the daemon does not listen"));
	}
	stop->fd = ends[0];
	stop->session = says.session;
	return 0;
}

int debug_prepare(struct debug_stop *stop, uint32_t probe)
{
	struct object *direct[] = { py_ref(py.minor >= MONITORING
						   ? py._Py_TrueStruct
						   : py._Py_FalseStruct) };
	struct object *answer;

	/* Another probe of this place stops here already. */
	if (stop->wanted)
		return 0;
	answer = call("here", 1, direct);
	if (!answer)
		return -1;
	if (py_is_str(answer))
		return refuse(answer);
	stop->fd = -1;
	if (answer == py._Py_TrueStruct && open_wire(stop, probe) < 0) {
		py_drop(answer);
		return -1;
	}
	py_drop(answer);
	stop->wanted = true;
	return 0;
}

/* <= 3.11: the thread's next event is pdb's. */
static void start(struct debug_stop *stop)
{
	struct object *argument[ARGUMENTS] = {
		py.PyLong_FromLong(stop->session),
		py.PyLong_FromLong(stop->fd),
		py.PyLong_FromLong(stop->seconds),
		py_ref(stop->code),
	};

	py_done(call("start", ARGUMENTS, argument));
}

/* 3.12 and later: pdb runs here. */
static void wait(struct debug_stop *stop, void *frame)
{
	struct object *argument[ARGUMENTS] = {
		py.PyLong_FromLong(stop->session),
		py.PyLong_FromLong(stop->fd),
		py.PyLong_FromLong(stop->seconds),
		expression_text(stop->line ? "line" : "call"),
	};
	struct object *answer, *object;

	debug_parked++;
	answer = call("stop", ARGUMENTS, argument);
	debug_parked--;
	/* 3.12: f_locals is a copy. */
	if (answer == py._Py_TrueStruct && py.PyFrame_LocalsToFast) {
		object = frames->object(frame);
		if (object)
			py.PyFrame_LocalsToFast(object, 0);
	}
	py_done(answer);
}

void debug_run(struct debug_stop *stop, void *frame)
{
	struct py_error saved;
	struct debug_stop now = *stop;

	*stop = (struct debug_stop){ .fd = -1 };
	py_error_save(&saved);
	if (!*armed_flag) {
		/* Disarmed meanwhile; or a forked child, whose copy it is. */
		if (now.fd >= 0)
			sys_close(now.fd);
	} else if (py.minor < MONITORING) {
		start(&now);
	} else {
		wait(&now, frame);
	}
	py_drop(now.code);
	py_error_restore(&saved);
}

/* Interrupts threads in what was typed. */
static void interrupt(struct object *threads)
{
	pyssize count = 0;

	if (threads && py_is(threads, py.PyTuple_Type))
		count = py.PyTuple_Size(threads);
	for (pyssize i = 0; i < count; i++)
		py.PyThreadState_SetAsyncExc(
			(unsigned long)py.PyLong_AsLong(
				py.PyTuple_GetItem(threads, i)),
			/* The symbol is that of a pointer to the type. */
			PY_FIELD(struct object *, py.PyExc_BaseException, 0));
	ending = count > 0;
	py_drop(threads);
	py.PyErr_Clear();
}

void debug_end(uint32_t session)
{
	struct object *number[] = { py.PyLong_FromLong(session) };

	if (loaded)
		interrupt(call("end", 1, number));
	else
		py_drop(number[0]);
}

bool debug_ending(void)
{
	return ending;
}

/* A session that nobody has: those that are over are looked at again. */
void debug_enforce(void)
{
	struct object *number[] = { py.PyLong_FromLong(-1) };

	interrupt(call("end", 1, number));
}
