/* SPDX-License-Identifier: MIT */
#include "injector/stack/callee.h"

#include <stdio.h>
#include <string.h>

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define CALLEE_NAME 256u
#define SLOTS_MAX 512

/* The head of an object, and that of a type, whose first field is its name. */
#define HEAD (python->free_threaded ? 32u : 16u)

/* PyTypeObject behind tp_name, PyDescrObject behind its head, PyMethodDef:
 * the same in 3.7 to 3.15. */
static const uint64_t type_functions[] = {
	104, /* tp_call */
	200, /* tp_iternext */
	272, /* tp_init */
	288, /* tp_new */
};

#define TYPE_OWN 2u /* functions that are called through the type itself */
#define DESCR_TYPE 0u
#define DESCR_METHOD 24u  /* PyMethodDef *d_method */
#define DESCR_WRAPPED 32u /* void *d_wrapped, of a slot wrapper */
#define METHOD_FUNCTION 8u

struct candidate {
	const struct python *python;
	uint64_t start; /* of the function that is looked for */
	char name[CALLEE_NAME];
};

static bool is_start(const struct candidate *candidate, uint64_t address)
{
	return remote_pointer(candidate->python->remote, address) ==
	       candidate->start;
}

/* "module.type" as far as tp_name has it. */
static void name_type(struct candidate *candidate, uint64_t type,
		      const char *rest)
{
	char name[OBJECT_TYPE_NAME];

	if (!object_type_name(candidate->python, type, name, sizeof(name)))
		name[0] = '\0';
	snprintf(candidate->name, sizeof(candidate->name), "%s%s%s", name,
		 name[0] && rest[0] ? "." : "", rest);
}

static void method_name(const struct python *python, uint64_t definition,
			char *buf, size_t size)
{
	uint64_t name = remote_pointer(python->remote, definition);

	if (!name || !remote_text(python->remote, name, buf, size))
		snprintf(buf, size, "?");
}

/* A function of a module, or a method with its object. */
static bool is_function(struct candidate *candidate, uint64_t value)
{
	const struct python *python = candidate->python;
	uint64_t definition =
		remote_pointer(python->remote, value + AT(cfunc_ml));
	uint64_t self = remote_pointer(python->remote, value + AT(cfunc_self));
	uint64_t module =
		remote_pointer(python->remote, value + AT(cfunc_module));
	char name[OBJECT_TYPE_NAME], owner[OBJECT_TYPE_NAME];

	if (!definition || !is_start(candidate, definition + METHOD_FUNCTION))
		return false;
	method_name(python, definition, name, sizeof(name));
	if (object_text_into(python, module, owner, sizeof(owner)))
		snprintf(candidate->name, sizeof(candidate->name), "%s.%s",
			 owner, name);
	else
		name_type(candidate, object_type(python, self), name);
	return true;
}

/* str.join and the like, before they are bound. */
static bool is_descriptor(struct candidate *candidate, uint64_t value,
			  bool wrapper)
{
	const struct python *python = candidate->python;
	uint64_t at = value + HEAD;
	uint64_t type = remote_pointer(python->remote, at + DESCR_TYPE);
	uint64_t definition = remote_pointer(python->remote, at + DESCR_METHOD);
	char name[OBJECT_TYPE_NAME];

	if (!definition ||
	    !is_start(candidate, wrapper ? at + DESCR_WRAPPED
					 : definition + METHOD_FUNCTION))
		return false;
	method_name(python, definition, name, sizeof(name));
	name_type(candidate, type, name);
	return true;
}

/* Functions of a type from one on. */
static bool is_of_type(struct candidate *candidate, uint64_t type, size_t from,
		       size_t end)
{
	const struct python *python = candidate->python;

	for (size_t i = from; i < end; i++)
		if (is_start(candidate,
			     type + AT(tp_name) + type_functions[i])) {
			name_type(candidate, type, "");
			return true;
		}
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), tail = strlen(end);

	return size >= tail && !strcmp(text + size - tail, end);
}

static bool is_callee(struct candidate *candidate, uint64_t value)
{
	const struct python *python = candidate->python;
	const size_t all = sizeof(type_functions) / sizeof(type_functions[0]);
	uint64_t type = object_type(python, value);
	char name[OBJECT_TYPE_NAME];

	if (!object_type_name(python, type, name, sizeof(name)))
		return false;
	/* 3.7 to 3.15; Cython's functions begin like those of C. */
	if (!strcmp(name, "builtin_function_or_method") ||
	    !strcmp(name, "builtin_method") ||
	    ends_with(name, "cython_function_or_method"))
		return is_function(candidate, value);
	if (!strcmp(name, "method_descriptor") ||
	    !strcmp(name, "classmethod_descriptor"))
		return is_descriptor(candidate, value, false);
	if (!strcmp(name, "wrapper_descriptor"))
		return is_descriptor(candidate, value, true);
	if (object_type_flags(python, type) & TYPE_TYPE)
		return is_of_type(candidate, value, TYPE_OWN, all);
	return is_of_type(candidate, type, 0, TYPE_OWN);
}

const char *callee_name(const struct python *python, struct arena *arena,
			const struct python_frame *caller, uint64_t start)
{
	struct candidate candidate = { .python = python, .start = start };
	uint64_t at = caller->slots + (uint64_t)caller->code->slots * 8;
	int count = caller->code->stack_size;

	for (int i = 0; start && i < count && i < SLOTS_MAX; i++) {
		uint64_t value = object_untag(
			python,
			remote_pointer(python->remote, at + (uint64_t)i * 8));

		if (remote_plausible(value) && is_callee(&candidate, value))
			return arena_copy(arena, candidate.name,
					  strlen(candidate.name));
	}
	return NULL;
}
