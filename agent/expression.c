/* SPDX-License-Identifier: MIT */
#include "agent/expression.h"

#include "agent/bootstrap.h"
#include "agent/fault.h"
#include "agent/frames.h"
#include "agent/memory.h"
#include "agent/sys.h"
#include "agent/thread_stack.h"

enum {
	PARAMETERS = 255, /* more names are looked up as globals */
	/* Of stack, measured on 3.7 to 3.13. */
	COMPILE_BASE = 48 << 10,
	COMPILE_CHARACTER = 1 << 10,
};

/* The error indicator's place is taken by what a call of ours without memory
 * leaves; the caller needs one that says something. */
static struct object *call(const char *name, struct object *arguments)
{
	struct object *function = bootstrap_function(name);
	struct object *result = NULL;

	if (function && arguments)
		result = py.PyObject_CallObject(function, arguments);
	py_drop(arguments);
	return result;
}

/* A tuple of some objects, whose references it takes; NULL when one is
 * missing or without memory. */
static struct object *tuple_of(int count, struct object *const *item)
{
	struct object *tuple = py.PyTuple_New(count);
	bool whole = tuple != NULL;

	for (int i = 0; i < count; i++) {
		whole &= item[i] != NULL;
		/* SetItem takes the reference over, also when it fails. */
		if (!tuple)
			py_drop(item[i]);
		else if (item[i] && py.PyTuple_SetItem(tuple, i, item[i]) < 0)
			whole = false;
	}
	if (whole)
		return tuple;
	py_drop(tuple);
	return NULL;
}

struct object *expression_call(const char *name, int count,
			       struct object *const *item)
{
	return call(name, tuple_of(count, item));
}

struct object *expression_text(const char *text)
{
	return py.PyUnicode_DecodeUTF8(text, (pyssize)text_length(text), NULL);
}

int expression_refuse(struct object *answer, enum error_code error,
		      struct frame_error *err)
{
	char reason[sizeof err->message];

	py_text(answer, reason, sizeof reason);
	py_drop(answer);
	py.PyErr_Clear();
	return fault_set(err, error, reason[0] ? reason : "it does not compile",
			 "");
}

/* The same for C, where that can be; a thousand probes of 16 actions have no
 * room for one in each. */
static struct plain *plain_of(const char *text)
{
	static struct plain parsed;
	struct plain *plain;

	plain_parse(&parsed, text);
	if (!parsed.count)
		return NULL;
	plain = memory_get(sizeof parsed);
	if (plain)
		*plain = parsed;
	return plain;
}

int expression_compile(struct expression *expression, const char *text,
		       enum error_code error, struct frame_error *err)
{
	struct object *str = expression_text(text);
	struct object *item[] = { str ? py_ref(str) : NULL };
	struct object *names = expression_call("compile_expression", 1, item);

	if (!names || !py_is(names, py.PyTuple_Type)) {
		py_drop(str);
		return expression_refuse(names, error, err);
	}
	expression->text = str;
	expression->names = names;
	expression->plain = plain_of(text);
	return 0;
}

void expression_release(struct expression *expression)
{
	py_drop(expression->text);
	py_drop(expression->names);
	if (expression->plain)
		memory_put(expression->plain, sizeof *expression->plain);
	*expression = (struct expression){ 0 };
}

void binding_release(struct binding *binding)
{
	struct object *function = binding->function;

	if (binding->index)
		memory_put(binding->index,
			   (size_t)binding->count * sizeof *binding->index);
	*binding = (struct binding){ 0 };
	py_drop(function);
}

/* Which variable of the code has this name; -1: none. */
static int variable_of(const struct code *code, struct object *name)
{
	char wanted[LIMIT_NAME], have[LIMIT_NAME];

	py_text(name, wanted, sizeof wanted);
	for (int i = 0; i < code->variable_count; i++) {
		py_text(code->variables[i].name, have, sizeof have);
		if (text_equal(wanted, have))
			return i;
	}
	return -1;
}

/* Chooses the names that are variables; those that are not bound now only
 * when `all`. Writes them to list, and their indices. */
static int choose(const struct expression *expression,
		  const struct scope *scope, bool all, struct object *list,
		  short index[PARAMETERS])
{
	pyssize total = py.PyTuple_Size(expression->names);
	int count = 0;

	for (pyssize i = 0; i < total && count < PARAMETERS; i++) {
		struct object *name = py.PyTuple_GetItem(expression->names, i);
		int variable = variable_of(scope->code, name);
		struct object *value;

		if (variable < 0)
			continue;
		value = all ? NULL
			    : frames->local(scope->frame, scope->code,
					    variable);
		if (!all && !value)
			continue;
		py_drop(value);
		if (py.PyList_Append(list, name) < 0)
			return -1;
		index[count++] = (short)variable;
	}
	return count;
}

/* Python's compiler, on the program's thread, takes up to 1 KiB of its stack
 * for a character: a bracket, from 3.9 on. Raises where there is too little. */
static bool can_compile(const struct expression *expression)
{
	size_t length = (size_t)py.PyUnicode_GetLength(expression->text);

	if (thread_stack_has(COMPILE_BASE + length * COMPILE_CHARACTER))
		return true;
	py_drop(expression_call("refuse_stack", 0, NULL));
	return false;
}

/* Makes the function of an expression. all: of all its variables, for use
 * again and again; else of those that are bound. */
static int bind(const struct expression *expression, const struct scope *scope,
		bool all, struct binding *ret_binding)
{
	struct object *list = py.PyList_New(0);
	struct object *item[3];
	short index[PARAMETERS];
	struct binding made = { .globals = scope->globals };
	size_t size;

	made.count = list && can_compile(expression)
			     ? choose(expression, scope, all, list, index)
			     : -1;
	if (made.count < 0) {
		py_drop(list);
		return -1;
	}
	size = (size_t)made.count * sizeof *made.index;
	if (size) {
		made.index = memory_get(size);
		if (made.index)
			memcpy(made.index, index, size);
	}
	item[0] = py_ref(expression->text);
	item[1] = list;
	item[2] = py_ref(scope->globals);
	made.function = expression_call("compile_function", 3, item);
	if (made.function && (made.index || !size)) {
		*ret_binding = made;
		return 0;
	}
	binding_release(&made);
	return -1;
}

/* The values of the function's parameters; *ret_unbound when one has none. The
 * indices are copied: the collector may run the program in the middle. */
static struct object *arguments_of(const struct binding *binding,
				   const struct scope *scope, bool *ret_unbound)
{
	short index[PARAMETERS];
	int count = binding->count;
	struct object *tuple;

	memcpy(index, binding->index, (size_t)count * sizeof *index);
	tuple = py.PyTuple_New(count);
	for (int i = 0; tuple && i < count; i++) {
		struct object *value =
			frames->local(scope->frame, scope->code, index[i]);

		if (value && py.PyTuple_SetItem(tuple, i, value) == 0)
			continue;
		*ret_unbound = !value;
		py_drop(tuple);
		return NULL;
	}
	return tuple;
}

/* Some variable has no value now: a function of the others, whose other names
 * are then not defined, as they would be in the program. */
static struct object *value_of_bound(const struct expression *expression,
				     const struct scope *scope)
{
	struct binding once = { 0 };
	struct object *arguments, *value = NULL;
	bool unbound = false;

	if (bind(expression, scope, false, &once) < 0)
		return NULL;
	arguments = arguments_of(&once, scope, &unbound);
	if (arguments)
		value = py.PyObject_CallObject(once.function, arguments);
	py_drop(arguments);
	binding_release(&once);
	return value;
}

/* In a namespace: compiled anew each time. */
static struct object *value_in_space(const struct expression *expression,
				     const struct scope *scope)
{
	struct object *item[3];

	if (!can_compile(expression))
		return NULL;
	item[0] = py_ref(expression->text);
	item[1] = py_ref(scope->globals);
	item[2] = py_ref(scope->locals);
	return expression_call("evaluate", 3, item);
}

/* Binds for use again and again, unless another thread did so meanwhile. */
static int bind_once(const struct expression *expression,
		     const struct scope *scope, struct binding *binding)
{
	struct binding made = { 0 }, old;

	if (binding->function && binding->globals == scope->globals)
		return 0;
	if (bind(expression, scope, true, &made) < 0)
		return -1;
	old = *binding;
	*binding = made;
	binding_release(&old);
	return 0;
}

int expression_plain_truth(const struct expression *expression,
			   struct binding *binding, const struct scope *scope)
{
	if (scope->locals || !expression->plain)
		return -1;
	return plain_truth(expression->plain, &binding->plain, scope->code,
			   scope->frame);
}

struct object *expression_value(const struct expression *expression,
				struct binding *binding,
				const struct scope *scope)
{
	struct object *arguments, *value = NULL, *function;
	bool unbound = false;

	if (scope->locals)
		return value_in_space(expression, scope);
	if (expression->plain)
		value = plain_variable(expression->plain, &binding->plain,
				       scope->code, scope->frame);
	if (value)
		return value;
	if (bind_once(expression, scope, binding) < 0)
		return NULL;
	/* Held: another thread may bind the expression anew. */
	function = py_ref(binding->function);
	arguments = arguments_of(binding, scope, &unbound);
	if (unbound)
		value = value_of_bound(expression, scope);
	else if (arguments)
		value = py.PyObject_CallObject(function, arguments);
	py_drop(arguments);
	py_drop(function);
	return value;
}
