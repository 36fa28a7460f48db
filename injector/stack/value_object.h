/* SPDX-License-Identifier: MIT */
/*
 * value_object: what objects consist of that are more than a plain value:
 * attributes, what subclasses of built-in types hold, members of enums, fields
 * of named tuples, arguments of exceptions, what functions, classes and
 * modules are called. The same that captures show, read from memory.
 */
#ifndef NOPDB_INJECTOR_STACK_VALUE_OBJECT_H
#define NOPDB_INJECTOR_STACK_VALUE_OBJECT_H

#include "injector/stack/value.h"

/* Fills the parts of a value whose kind is OBJECT and whose type is known.
 * False: no memory. */
bool value_read_parts(struct values *values, uint64_t object, uint64_t type,
		      uint64_t flags, struct stack_value *value);

#endif
