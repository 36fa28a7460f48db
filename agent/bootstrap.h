/* SPDX-License-Identifier: MIT */
/*
 * bootstrap: the agent's Python part (agent/python/bootstrap.py), compiled and
 * run once in a dict of its own. The control thread calls what it defines;
 * probe callbacks never do.
 *
 * Py_CompileString and PyEval_EvalCode rather than PyRun_SimpleString: that
 * would run in __main__, where the program may have shadowed any name, and
 * would print a failure to the program's stderr and leave it in sys.last_*.
 */
#ifndef NOPDB_AGENT_BOOTSTRAP_H
#define NOPDB_AGENT_BOOTSTRAP_H

#include "agent/python.h"

/* Control thread, GIL held. Leaves no error indicator. */
int bootstrap_run(struct frame_error *err);
void bootstrap_release(void);

/* A function of the bootstrap by name: borrowed, NULL when absent. */
struct object *bootstrap_function(const char *name);

/* The dict that its functions have as globals; no probe of a user matches
 * them. Borrowed; NULL before and after. */
struct object *bootstrap_globals(void);

/* Module code that can be run in that dict: a new reference, or NULL. */
struct object *bootstrap_compile(const char *source);

/* Runs it there. What it raises is dropped; false then. */
bool bootstrap_execute(struct object *code);

#endif
