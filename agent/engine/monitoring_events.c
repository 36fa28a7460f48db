/* SPDX-License-Identifier: MIT */
#include "agent/engine/monitoring_events.h"

#include "agent/armed.h"
#include "agent/call.h"
#include "agent/engine/frames_inner.h"
#include "agent/engine/monitoring_tool.h"
#include "agent/frames.h"
#include "agent/hit.h"
#include "agent/match.h"
#include "agent/signalled.h"
#include "agent/sys.h"

/* What a callback does with a code object, an offset and a value (NULL where
 * the event has none). The answer is borrowed: None, or tool_disable. */
typedef struct object *react(struct object *object, struct object *offset,
			     struct object *value);

unsigned monitoring_rematches;

/* The frame in which the event is, NULL: this thread runs other code. */
static inline void *current(const struct object *object)
{
	return frames == &frames_inner ? frames_inner_current(object)
				       : py.PyEval_GetFrame();
}

/* Asks all probes about code that starts or goes on. */
static struct code *ask(struct object *object, void *frame)
{
	struct object *globals = frames->globals(frame);
	struct code *code;

	match_code(object, globals);
	/* The frame holds it as well: never the last reference. */
	py_drop(globals);
	/* Also where only probes that are done have it. */
	code = code_find(object);
	if (code)
		code->asked = monitoring_rematches;
	return code;
}

/* The entry of code that starts or goes on, NULL when no probe wants it. */
static inline struct code *recognize(struct object *object, void *frame)
{
	struct code *code = code_find(object);

	if (!frame || (code && code->asked == monitoring_rematches))
		return code;
	return ask(object, frame);
}

static struct object *start(struct object *object, struct object *offset,
			    struct object *value)
{
	struct code *code = code_find(object);
	void *frame;

	/* The frame is not needed for lines alone. */
	if (code && code->asked == monitoring_rematches &&
	    !(code->armed &&
	      code->wants & (CODE_WANTS_CALLS | CODE_WANTS_START)))
		return py._Py_NoneStruct;
	frame = current(object);
	code = recognize(object, frame);
	if (!code)
		return tool_disable;
	/* Without DISABLE a disarmed code object needs no cure later. */
	if (code->armed && frame) {
		if (code->wants & CODE_WANTS_CALLS)
			call_begin(code, frame);
		if (code->wants & CODE_WANTS_START)
			hit_call(code, frame);
	}
	return py._Py_NoneStruct;
}

/* Each other line costs one callback: arming the code anew undoes DISABLE. */
static struct object *line(struct object *object, struct object *number,
			   struct object *value)
{
	struct code *code = code_find(object);
	int at = (int)py.PyLong_AsLong(number);
	void *frame;

	if (!code || !code_stops_at(code, at))
		return tool_disable;
	frame = code->armed ? current(object) : NULL;
	if (frame)
		hit_line(code, frame, at);
	return py._Py_NoneStruct;
}

/* Watched everywhere like a start: this is how a generator or coroutine comes
 * to be known that was suspended when the probe was set. */
static struct object *resume(struct object *object, struct object *offset,
			     struct object *value)
{
	void *frame = current(object);
	struct code *code = recognize(object, frame);

	if (!code)
		return tool_disable;
	if (code->armed && frame)
		call_resume(code, frame);
	return py._Py_NoneStruct;
}

static struct object *yields(struct object *object, struct object *offset,
			     struct object *value)
{
	struct code *code = code_find(object);
	void *frame;

	if (!code)
		return tool_disable;
	frame = code->armed ? current(object) : NULL;
	if (frame)
		call_suspend(code, frame, value);
	return py._Py_NoneStruct;
}

static struct object *returns(struct object *object, struct object *offset,
			      struct object *value)
{
	struct code *code = code_find(object);
	void *frame;

	if (!code)
		return tool_disable;
	frame = code->armed ? current(object) : NULL;
	if (frame)
		call_return(code, frame, value);
	return py._Py_NoneStruct;
}

/* Was an exception thrown into a generator or coroutine that never started (a
 * task cancelled before its first step)? Then the offset is in the prologue:
 * at most COPY_FREE_VARS, a MAKE_CELL each and RETURN_GENERATOR, two bytes
 * each, while the first yield comes after RESUME. */
static bool never_started(const struct code *code, struct object *offset)
{
	long prologue = 2;

	if (!(code->flags & CODE_SUSPENDS))
		return false;
	for (int i = 0; i < code->variable_count; i++) {
		const struct variable *v = &code->variables[i];

		if (v->is_cell || v->kind == VARIABLE_CELL)
			prologue += i > 255 ? 4 : 2; /* EXTENDED_ARG */
	}
	return py.PyLong_AsLong(offset) <= prologue;
}

static struct object *unwind(struct object *object, struct object *offset,
			     struct object *value)
{
	struct code *code = code_find(object);
	void *frame;

	if (!code || !code->armed || !(code->wants & CODE_WANTS_CALLS))
		return py._Py_NoneStruct;
	frame = current(object);
	if (frame && !never_started(code, offset))
		call_raise(code, frame, NULL, value, NULL);
	return py._Py_NoneStruct;
}

static struct object *throws(struct object *object, struct object *offset,
			     struct object *value)
{
	struct code *code = code_find(object);
	void *frame;

	if (!code || !code->armed)
		return py._Py_NoneStruct;
	frame = current(object);
	if (frame)
		call_resume(code, frame);
	return py._Py_NoneStruct;
}

/* tool_disable is gone after the tool was released, while a callback that
 * somebody else holds can still be called. */
static struct object *reply(struct object *answer)
{
	return py_ref(answer ? answer : py._Py_NoneStruct);
}

/* Runs what an event asks for, where and when it may. In a forked child the
 * answer `disarm` takes the event off for good, wherever that is possible. */
static inline struct object *guard(react *react_to, struct object *const *args,
				   pyssize count, pyssize expected,
				   struct object *disarm, bool may_raise)
{
	struct py_error saved;
	struct object *answer;

	if (!callback_enter())
		return reply(disarm);
	/* Whoever finds the callback can call it with anything. */
	if (count != expected || !py_is(args[0], py.PyCode_Type) ||
	    !py_is(args[1], py.PyLong_Type)) {
		callback_leave();
		return reply(NULL);
	}
	py_error_save(&saved);
	answer = react_to(args[0], args[1], count > 2 ? args[2] : NULL);
	py_error_restore(&saved);
	callback_leave();
	return may_raise && signalled_raise() ? NULL : reply(answer);
}

#define CALLBACK(name, react_to, expected, disarm, may_raise)                 \
	static struct object *name(struct object *self,                       \
				   struct object *const *args, pyssize count) \
	{                                                                     \
		return guard(react_to, args, count, expected, disarm,         \
			     may_raise);                                      \
	}

/* Where breakpoints are hit. */
CALLBACK(on_start, start, 2, tool_disable, true)
CALLBACK(on_line, line, 2, tool_disable, true)

CALLBACK(on_resume, resume, 2, tool_disable, false)
CALLBACK(on_return, returns, 3, tool_disable, false)
CALLBACK(on_yield, yields, 3, tool_disable, false)
/* To answer DISABLE to these is an error on 3.12-3.14. */
CALLBACK(on_unwind, unwind, 3, py._Py_NoneStruct, false)
CALLBACK(on_throw, throws, 3, py._Py_NoneStruct, false)

static struct method_def method[TOOL_EVENTS] = {
	[TOOL_START] = { "start", on_start, METHOD_FASTCALL, NULL },
	[TOOL_RESUME] = { "resume", on_resume, METHOD_FASTCALL, NULL },
	[TOOL_RETURN] = { "return", on_return, METHOD_FASTCALL, NULL },
	[TOOL_YIELD] = { "yield", on_yield, METHOD_FASTCALL, NULL },
	[TOOL_UNWIND] = { "unwind", on_unwind, METHOD_FASTCALL, NULL },
	[TOOL_THROW] = { "throw", on_throw, METHOD_FASTCALL, NULL },
	[TOOL_LINE] = { "line", on_line, METHOD_FASTCALL, NULL },
};

static struct object *function[TOOL_EVENTS];

bool monitoring_events_register(void)
{
	memset(function, 0, sizeof function);
	for (int i = 0; i < TOOL_EVENTS; i++) {
		function[i] = py.PyCFunction_NewEx(&method[i], NULL, NULL);
		if (!function[i]) {
			py.PyErr_Clear();
			return false;
		}
		if (!tool_callback((enum tool_event)i, function[i]))
			return false;
	}
	return true;
}

/* The count of references: 32 bits on 3.12 and later, flags above (3.14). */
static uint32_t references(const struct object *object)
{
	return (uint32_t)object->refcount;
}

bool monitoring_events_release(void)
{
	bool alone = true;

	for (int i = 0; i < TOOL_EVENTS; i++)
		if (function[i] && references(function[i]) != 1)
			alone = false;
	if (!alone)
		return false;
	for (int i = 0; i < TOOL_EVENTS; i++) {
		py_drop(function[i]);
		function[i] = NULL;
	}
	return true;
}
