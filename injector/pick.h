/* SPDX-License-Identifier: MIT */
/*
 * pick: which Python of a process is at work, where more than one is mapped: a
 * program can load the library of another, by a module that was linked with it.
 */
#ifndef NOPDB_INJECTOR_PICK_H
#define NOPDB_INJECTOR_PICK_H

#include "injector/target/interpreter.h"

/* interpreter_open(), and the one whose state makes sense. Fails as that does,
 * and with BUSY: there are several, and none is initialized. */
int pick_interpreter(struct interpreter *target, pid_t pid,
		     struct error *err) NOPDB_CHECKED;

#endif
