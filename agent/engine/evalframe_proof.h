/* SPDX-License-Identifier: MIT */
/*
 * evalframe_proof: is this interpreter laid out as layout.c says? Asked before
 * anything is changed (the thread state) and with a first frame of our own
 * (code object, frame), so that a build that differs is refused at attach and
 * not read wrongly later. Control thread, GIL held.
 */
#ifndef NOPDB_AGENT_ENGINE_EVALFRAME_PROOF_H
#define NOPDB_AGENT_ENGINE_EVALFRAME_PROOF_H

#include "agent/engine/evaluator.h"
#include "agent/engine/hookpage.h"

/* Proves the thread state; returns the calling thread's interpreter. NULL:
 * UNSUPPORTED or ENGINE. */
void *evalframe_prove_thread(struct frame_error *err);

/* Puts the page's entry into the interpreters for the time of one line of
 * Python, and compares what the frame and its code object say by layout with
 * what they say by functions. Fails with ENGINE; the entry is gone again in
 * either case. */
int evalframe_prove_frame(struct hookpage *page, struct frame_error *err);

/* Proves on lines of our own that a trace function can be set. Fails with
 * ENGINE. */
int evalframe_prove_trace(struct frame_error *err);

#endif
