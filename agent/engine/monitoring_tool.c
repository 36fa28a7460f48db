/* SPDX-License-Identifier: MIT */
#include "agent/engine/monitoring_tool.h"

#include <sys/syscall.h>

#include "agent/fault.h"
#include "agent/sys.h"

enum {
	TOOL_IDS = 6,	  /* 0..5 can be registered, 3.12-3.15 */
	TOOL_ID_LAST = 4, /* 3 and 4 have no predefined purpose */
	TOOL_ID_FIRST = 3,
	TOOL_NAME = 48,
};

static const char tool_prefix[] = "nopdb:";

/* X(member, attribute of sys.monitoring) */
#define TOOL_FUNCTIONS(X)                         \
	X(use_tool_id, "use_tool_id")             \
	X(free_tool_id, "free_tool_id")           \
	X(get_tool, "get_tool")                   \
	X(register_callback, "register_callback") \
	X(set_events, "set_events")               \
	X(set_local_events, "set_local_events")   \
	X(restart_events, "restart_events")

static struct {
	int id;		      /* 0: none taken */
	int bit[TOOL_EVENTS]; /* the interpreter's */
#define X(member, attribute) struct object *member;
	TOOL_FUNCTIONS(X)
#undef X
} tool;

struct object *tool_disable;

static const char *const event_name[TOOL_EVENTS] = {
	[TOOL_START] = "PY_START",   [TOOL_RESUME] = "PY_RESUME",
	[TOOL_RETURN] = "PY_RETURN", [TOOL_YIELD] = "PY_YIELD",
	[TOOL_UNWIND] = "PY_UNWIND", [TOOL_THROW] = "PY_THROW",
	[TOOL_LINE] = "LINE",
};

/* A builtin function of sys.monitoring, or NULL when something else is in its
 * place. */
static struct object *builtin(struct object *module, const char *attribute)
{
	struct object *function = py_attr(module, attribute);

	if (function && !py_is(function, py.PyCFunction_Type)) {
		py_drop(function);
		return NULL;
	}
	return function;
}

static bool load_events(struct object *module)
{
	struct object *events = py_attr(module, "events");
	bool complete = events != NULL;

	for (int i = 0; i < TOOL_EVENTS && complete; i++) {
		tool.bit[i] = (int)py_attr_long(events, event_name[i], 0);
		complete = tool.bit[i] > 0;
	}
	py_drop(events);
	return complete;
}

/* Looks up all of sys.monitoring; false when it is absent or replaced. */
static bool load(void)
{
	struct object *module = py.PySys_GetObject("monitoring");

	if (!module || !py_is(module, py.PyModule_Type))
		return false;
#define X(member, attribute)                      \
	tool.member = builtin(module, attribute); \
	if (!tool.member)                         \
		return false;
	TOOL_FUNCTIONS(X)
#undef X
	tool_disable = py_attr(module, "DISABLE");
	return tool_disable && load_events(module);
}

static void unload(void)
{
#define X(member, attribute) py_drop(tool.member);
	TOOL_FUNCTIONS(X)
#undef X
	py_drop(tool_disable);
	tool_disable = NULL;
	memset(&tool, 0, sizeof tool);
}

/* Appends the decimal digits of a number; returns the new end. */
static char *put_decimal(char *to, unsigned value)
{
	char digit[10];
	int n = 0;

	do
		digit[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n)
		*to++ = digit[--n];
	return to;
}

/* Reads decimal digits up to the end character; 0 when there is none. */
static unsigned get_decimal(const char **text, char end)
{
	unsigned value = 0;
	int n;

	for (n = 0; n < 9 && **text >= '0' && **text <= '9'; n++)
		value = value * 10 + (unsigned)(*(*text)++ - '0');
	if (!n || **text != end)
		return 0;
	*text += end != '\0';
	return value;
}

static void own_name(char *name)
{
	memcpy(name, tool_prefix, sizeof tool_prefix - 1);
	name += sizeof tool_prefix - 1;
	name = put_decimal(name, (unsigned)sys_getpid());
	*name++ = ':';
	*put_decimal(name, (unsigned)sys_gettid()) = '\0';
}

/* Does the tool's name say that it belonged to an agent that is gone: one of
 * the process that we were forked from, or whose thread ended? */
static bool is_orphan(const char *name)
{
	unsigned pid, tid;

	if (memcmp(name, tool_prefix, sizeof tool_prefix - 1) != 0)
		return false;
	name += sizeof tool_prefix - 1;
	pid = get_decimal(&name, ':');
	tid = pid ? get_decimal(&name, '\0') : 0;
	if (!tid)
		return false;
	return pid != (unsigned)sys_getpid() ||
	       sys_call(SYS_tgkill, pid, tid, 0, 0, 0, 0) < 0;
}

/* Writes who has an id; false when nobody has. */
static bool owner(int id, char *name, size_t size)
{
	struct object *answer =
		py.PyObject_CallFunction(tool.get_tool, "i", id);
	bool taken = answer && answer != py._Py_NoneStruct;

	memset(name, 0, size);
	if (taken)
		py_text(answer, name, size);
	py_done(answer);
	return taken;
}

static void free_id(void)
{
	tool_watch_all(0);
	for (int i = 0; i < TOOL_EVENTS; i++)
		tool_callback((enum tool_event)i, NULL);
	py_done(py.PyObject_CallFunction(tool.free_tool_id, "i", tool.id));
	tool.id = 0;
}

/* Takes one id if it is free, or an orphan's. */
static bool take_id(int id)
{
	char name[TOOL_NAME];

	if (owner(id, name, sizeof name)) {
		if (!is_orphan(name))
			return false;
		tool.id = id;
		free_id();
	}
	own_name(name);
	if (!py_done(
		    py.PyObject_CallFunction(tool.use_tool_id, "is", id, name)))
		return false;
	tool.id = id;
	return true;
}

int tool_take(struct frame_error *err)
{
	memset(&tool, 0, sizeof tool);
	if (!load()) {
		unload();
		fault_set(err, ERROR_ENGINE,
			  "sys.monitoring is absent or was replaced", "");
		return fault_remedy(err, "the program must leave "
					 "sys.monitoring as it is");
	}
	for (int id = TOOL_ID_LAST; id >= TOOL_ID_FIRST; id--)
		if (take_id(id))
			return 0;
	unload();
	fault_set(err, ERROR_ENGINE,
		  "the tool ids 3 and 4 of sys.monitoring are in use", "");
	return fault_remedy(err, "end one of the tools (sys.monitoring."
				 "get_tool(3) names it) and attach again");
}

void tool_release(void)
{
	if (tool.id)
		free_id();
	unload();
}

bool tool_callback(enum tool_event event, struct object *function)
{
	return py_done(py.PyObject_CallFunction(
		tool.register_callback, "iiO", tool.id, tool.bit[event],
		function ? function : py._Py_NoneStruct));
}

static int interpreter_bits(unsigned events)
{
	int bits = 0;

	for (int i = 0; i < TOOL_EVENTS; i++)
		if (events >> i & 1)
			bits |= tool.bit[i];
	return bits;
}

bool tool_watch_all(unsigned events)
{
	return py_done(py.PyObject_CallFunction(tool.set_events, "ii", tool.id,
						interpreter_bits(events)));
}

bool tool_watch(struct object *code, unsigned events)
{
	return py_done(py.PyObject_CallFunction(tool.set_local_events, "iOi",
						tool.id, code,
						interpreter_bits(events)));
}

bool tool_alone(void)
{
	char name[TOOL_NAME];

	for (int id = 0; id < TOOL_IDS; id++)
		if (id != tool.id && owner(id, name, sizeof name))
			return false;
	return true;
}

void tool_restart(void)
{
	py_done(py.PyObject_CallFunction(tool.restart_events, NULL));
}
