/* SPDX-License-Identifier: MIT */
/*
 * frames_inner: frames as CPython 3.12 and later runs them
 * (_PyInterpreterFrame), read in place. No frame object is made, which a
 * suspended generator would keep, which costs more than the reading, and which
 * the program could find.
 *
 * A frame object is made where only that will do, and on the thread that runs
 * the frame alone: to rebind a variable, to jump, for code that is given one.
 *
 * GIL builds. frames_inner_find() picks the offsets of a version; the engine
 * proves them before it relies on them (monitoring_proof.h), and uses
 * frames_objects where they differ.
 */
#ifndef NOPDB_AGENT_ENGINE_FRAMES_INNER_H
#define NOPDB_AGENT_ENGINE_FRAMES_INNER_H

#include <stdbool.h>

#include "agent/frames.h"

extern const struct frame_ops frames_inner;

/* Chooses the offsets of py.minor; false: none are known. */
bool frames_inner_find(void);

/* The innermost frame of a thread state, shown or not; NULL: it runs no
 * Python. */
void *frames_inner_innermost(void *thread);

/* The innermost frame of the calling thread that CPython shows, if it runs
 * this code; NULL: it runs another. */
void *frames_inner_current(const struct object *code);

/* The code object of a frame, borrowed. */
struct object *frames_inner_code(void *frame);

/* The frame that called it, NULL: none; hidden ones are left out. */
void *frames_inner_back(void *frame);

/* The generator or coroutine that a frame is part of, borrowed; NULL: none. */
struct object *frames_inner_generator(void *frame);

/* How many instructions of a code object are its prologue, during which
 * CPython does not show the frame. */
int frames_inner_prologue(const struct object *code);

#endif
