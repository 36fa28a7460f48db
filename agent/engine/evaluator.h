/* SPDX-License-Identifier: MIT */
/*
 * evaluator: which function evaluates frames in an interpreter (PEP 523). By
 * functions on 3.9+; on 3.7 and 3.8 it is a field of the interpreter state,
 * whose place is checked. GIL held.
 */
#ifndef NOPDB_AGENT_ENGINE_EVALUATOR_H
#define NOPDB_AGENT_ENGINE_EVALUATOR_H

#include <stdbool.h>

#include "agent/python.h"

/* 3.7 and 3.8: (frame, throwflag); 3.9-3.11: (thread state, frame, throwflag).
 * On x86-64 one type serves for both: three registers are passed on. */
typedef struct object *evaluator(void *a, void *b, int c);

/* Proves that the evaluator of this interpreter can be found. Fails with
 * ENGINE. */
int evaluator_check(void *interp, struct frame_error *err);

evaluator *evaluator_get(void *interp);

/* Replaces it in one interpreter, if that has `from`; has it `to` now? */
bool evaluator_put(void *interp, evaluator *from, evaluator *to);

/* Puts `to` in the place of `from`, in all interpreters that have it; returns
 * in how many. */
int evaluator_replace(evaluator *from, evaluator *to);

/* Is it the evaluator of every interpreter? */
bool evaluator_everywhere(evaluator *wanted);

#endif
