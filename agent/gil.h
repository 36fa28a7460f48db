/* SPDX-License-Identifier: MIT */
/*
 * gil: the control thread's way in and out. gil_take() fails when the
 * interpreter is finalizing: taking the GIL then would never return, or crash
 * (3.14 in late finalization); and ever after, also when the program has
 * initialized another by then, in which nothing is ours. A pause lets the
 * program run in the middle of long work.
 */
#ifndef NOPDB_AGENT_GIL_H
#define NOPDB_AGENT_GIL_H

#include <stdbool.h>

bool gil_take(void);

/* Under the GIL: this is the interpreter that we are in, from now on. Its
 * builtins are to be held until the last gil_take(). */
void gil_entered(void);

void gil_give(void);

/* The last gil_give(): the interpreter forgets this thread. */
void gil_leave(void);

/* Releases and takes it again; false when the interpreter went away. */
bool gil_pause(unsigned microseconds);

#endif
