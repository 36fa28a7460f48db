/* SPDX-License-Identifier: MIT */
/*
 * inherit: the function that a class inherits: what "mod:Sub.meth" names when
 * no code is called so, because a base of Sub defines meth. Runs no code of the
 * program. Control thread, GIL held.
 */
#ifndef NOPDB_AGENT_INHERIT_H
#define NOPDB_AGENT_INHERIT_H

#include "agent/python.h"
#include "proto/probe_spec.h"

/* A new reference to the function, whoever calls it; NULL when the location
 * names no class that is loaded, or one without it. */
struct object *inherit_find(const struct location *where);

#endif
