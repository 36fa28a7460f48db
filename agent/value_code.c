/* SPDX-License-Identifier: MIT */
#include "agent/sys.h"
#include "agent/value_walk.h"

/* These types cannot be a base: attributes of their objects are theirs, and
 * reading them runs no user code. */

enum {
	/* PyGenObject.gi_frame <= 3.10, and PyFrameObject.f_code, f_lasti */
	GENERATOR_FRAME = 16,
	FRAME_CODE = 32,
	LASTI_7 = 104,
	LASTI_10 = 96,

	/* PyGenObject.gi_iframe, gi_frame_state; f_code and prev_instr of
	 * 3.11, and where the code's instructions begin; f_code of 3.12+ */
	IFRAME_11 = 80,
	STATE_11 = 75,
	CODE_11 = 32,
	INSTRUCTION_11 = 56,
	INSTRUCTIONS_11 = 184,
	IFRAME_12 = 72,
	STATE_12 = 67,
	CODE_12 = 0,
	/* The least state of one whose frame is gone; 3.15 counts from 0. */
	ENDED_11 = 1,
	ENDED_15 = 4,
	TAGS = 7, /* bits of a _PyStackRef that are no address, 3.14+ */
};

static void add_place(struct value_whole *whole, struct object *code)
{
	struct object *file = py_attr(code, "co_filename");

	value_add_str(whole, "$file", file);
	py_drop(file);
	value_add_int(whole, "$line", py_attr_long(code, "co_firstlineno", 0));
}

/* $name from two attributes. */
static void add_names(struct value_whole *whole, struct object *object,
		      const char *module_key, const char *name_key)
{
	struct object *module = module_key ? py_attr(object, module_key) : NULL;
	struct object *name = py_attr(object, name_key);

	value_add_name(whole, module, name);
	py_drop(module);
	py_drop(name);
}

void value_function(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	add_names(&whole, object, "__module__", "__qualname__");
	add_place(&whole, py.PyFunction_GetCode(object));
	value_end(&whole);
}

void value_builtin(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	add_names(&whole, object, "__module__", "__name__");
	value_end(&whole);
}

/* A method's function may be any callable. */
void value_method(struct value_walk *walk, struct object *object)
{
	struct object *function = py_attr(object, "__func__");
	struct object *self = py_attr(object, "__self__");
	struct value_whole whole;

	if (value_begin(&whole, walk, object, VALUE_LEAF)) {
		if (function && py_is(function, py.PyFunction_Type)) {
			add_names(&whole, function, "__module__",
				  "__qualname__");
			add_place(&whole, py.PyFunction_GetCode(function));
		} else {
			value_add(&whole, "$function", function);
		}
		value_add(&whole, "$self", self);
		value_end(&whole);
	}
	/* Not the last references: the method holds them. */
	py_drop(function);
	py_drop(self);
}

void value_class(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	value_add_type_name(&whole, object);
	value_end(&whole);
}

void value_module(struct value_walk *walk, struct object *object)
{
	struct object *dict = py.PyModule_GetDict(object);
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, dict ? VALUE_LEAF : VALUE_EMPTY))
		return;
	value_add_str(&whole, "$name",
		      py.PyDict_GetItemString(dict, "__name__"));
	value_add_str(&whole, "$file",
		      py.PyDict_GetItemString(dict, "__file__"));
	value_end(&whole);
}

void value_code(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	add_names(&whole, object, NULL,
		  py.minor >= 11 ? "co_qualname" : "co_name");
	add_place(&whole, object);
	value_end(&whole);
}

void value_frame(struct value_walk *walk, struct object *object)
{
	struct object *code = py_attr(object, "f_code");
	struct object *file = code ? py_attr(code, "co_filename") : NULL;
	struct value_whole whole;

	if (code && value_begin(&whole, walk, object, VALUE_LEAF)) {
		add_names(&whole, code, NULL,
			  py.minor >= 11 ? "co_qualname" : "co_name");
		value_add_str(&whole, "$file", file);
		value_add_int(&whole, "$line",
			      py.PyFrame_GetLineNumber(object));
		value_end(&whole);
	}
	py_drop(file);
	py_drop(code);
}

/* The attributes of the three kinds of generators, by kind. */
static const struct suspendable {
	const char *code, *running, *waits;
} suspendables[] = {
	{ "gi_code", "gi_running", "gi_yieldfrom" },
	{ "cr_code", "cr_running", "cr_await" },
	{ "ag_code", "ag_running", "ag_await" },
};

static const struct suspendable *names_of(const struct object *object)
{
	if (py_is(object, py.PyCoro_Type))
		return &suspendables[1];
	return &suspendables[py_is(object, py.PyAsyncGen_Type) ? 2 : 0];
}

static int line_of_frame_object(struct object *generator)
{
	struct object *frame =
		PY_FIELD(struct object *, generator, GENERATOR_FRAME);
	int lasti;

	if (!frame)
		return 0;
	lasti = PY_FIELD(int, frame, py.minor == 10 ? LASTI_10 : LASTI_7);
	return py.PyCode_Addr2Line(PY_FIELD(struct object *, frame, FRAME_CODE),
				   py.minor == 10 ? 2 * lasti : lasti);
}

/* Where it is: read from its frame, without making a frame object. The frame
 * must have the code, else this is not where frames lie. */
static int line_of(struct object *generator, struct object *code)
{
	bool is_11 = py.minor == 11;
	char *frame = (char *)generator + (is_11 ? IFRAME_11 : IFRAME_12);
	uintptr_t found;

	if (py.minor <= 10)
		return line_of_frame_object(generator);
	if (PY_FIELD(signed char, generator, is_11 ? STATE_11 : STATE_12) >=
	    (py.minor >= 15 ? ENDED_15 : ENDED_11))
		return 0;
	found = PY_FIELD(uintptr_t, frame, is_11 ? CODE_11 : CODE_12);
	if ((found & ~(uintptr_t)TAGS) != (uintptr_t)code)
		return 0;
	if (is_11)
		return py.PyCode_Addr2Line(
			code, (int)(PY_FIELD(char *, frame, INSTRUCTION_11) -
				    ((char *)code + INSTRUCTIONS_11)));
	return py.PyUnstable_InterpreterFrame_GetLine
		       ? py.PyUnstable_InterpreterFrame_GetLine(frame)
		       : 0;
}

void value_generator(struct value_walk *walk, struct object *object)
{
	const struct suspendable *names = names_of(object);
	struct object *code = py_attr(object, names->code);
	struct object *running = py_attr(object, names->running);
	struct object *waits = py_attr(object, names->waits);
	struct value_whole whole;
	int line = code ? line_of(object, code) : 0;

	if (value_begin(&whole, walk, object, VALUE_TREE)) {
		add_names(&whole, object, NULL, "__qualname__");
		if (code)
			add_place(&whole, code);
		value_add(&whole, "$running", running);
		if (line > 0)
			value_add_int(&whole, "$at", line);
		if (waits != py._Py_NoneStruct)
			value_add(&whole, "$awaits", waits);
		value_end(&whole);
	}
	py_drop(waits);
	py_drop(running);
	py_drop(code);
}
