/* SPDX-License-Identifier: MIT */
/*
 * value_numpy: what of numpy's own types is known by name. GIL held.
 */
#ifndef NOPDB_AGENT_VALUE_NUMPY_H
#define NOPDB_AGENT_VALUE_NUMPY_H

#include <stdbool.h>

/* Is this the name of a type (tp_name) of numbers of numpy? */
bool value_numpy_is_scalar(const char *name);

/* What an ndarray is, and where; false: it is none, or one of a kind that is
 * not known. */
struct array;
struct object;
bool value_numpy_read(struct object *object, struct array *ret_array);

#endif
