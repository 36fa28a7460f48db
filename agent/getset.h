/* SPDX-License-Identifier: MIT */
/*
 * getset: attributes that a type of C computes, by its own function whatever a
 * class made of it put before them. GIL held.
 */
#ifndef NOPDB_AGENT_GETSET_H
#define NOPDB_AGENT_GETSET_H

#include "agent/python.h"

/* The attribute `name` of an object, as the type of C that it is of (or made
 * of) gives it: a new reference, or NULL with the error cleared. Runs what that
 * type runs for it: the caller knows that it is no code of the program. */
struct object *getset_read(struct object *object, const char *name);

/* The same as an int; `missing` when there is none. */
long getset_long(struct object *object, const char *name, long missing);

#endif
