/* SPDX-License-Identifier: MIT */
/*
 * evaluation: `eval` and `exec` outside of any frame, each on a Python thread
 * of its own (agent/python/evaluation.py), so that what blocks holds up
 * neither the control thread nor its leaving.
 *
 * On that thread's stack there is no code of the agent. It posts its outcome
 * and waits at a gate; the control thread finds the outcome in passing, writes
 * it, and opens the gate, so that the value ends on the thread that made it. A
 * job over its time gets SystemExit, again and again until it ends; one that
 * blocks in C is answered for without it and goes on ending by itself, also
 * after the agent has left.
 *
 * Control thread only.
 */
#ifndef NOPDB_AGENT_EVALUATION_H
#define NOPDB_AGENT_EVALUATION_H

#include <stdbool.h>

#include "agent/python.h"
#include "proto/frame.h"
#include "proto/json_write.h"
#include "proto/probe_spec.h"

/* Is any open? Then evaluation_turn() is to be called every few ms. */
bool evaluation_any(void);

/* Compiles and starts one; id: of the request, for its answer. CODE for what
 * does not compile, LOCATION for a module that is not loaded, BUSY when
 * LIMIT_EVALUATIONS run. GIL held. */
int evaluation_begin(uint32_t id, const struct frame_evaluate *how,
		     const struct probe_spec *spec, struct frame_error *err);

/* Starts to find what an expression calls, in the globals of the spec's module
 * or of __main__; `done` is called once, on the control thread with the GIL:
 * outcome is (function, bound?, instance), borrowed, or NULL with *err filled.
 * It answers the request itself, by control_send() without the GIL: with
 * what *ret_answer says. request is copied. */
struct evaluation_answer {
	enum frame_type type;
	const void *bytes;
	uint32_t length;
};
typedef int evaluation_done(const struct frame *request, struct object *outcome,
			    struct evaluation_answer *ret_answer,
			    struct frame_error *err);
int evaluation_resolve(const struct frame *request,
		       const struct probe_spec *spec, evaluation_done *done,
		       struct frame_error *err);

/* Interrupts what is over time, and sends the answers that are due. Without
 * the GIL, which it takes only when there is something to do. */
void evaluation_turn(void);

/* Lets go of all of them: what still runs is interrupted, its answer is not
 * waited for. GIL held. */
void evaluation_abandon_all(void);

#endif
