/* SPDX-License-Identifier: MIT */
/*
 * evalframe: what the parts of the engine for 3.7-3.11 share. The hook
 * (evalframe.c) decides for each frame whether it goes straight on to the
 * previous evaluator, by a jump, or through the shim of the hook page, which
 * calls evalframe_before and evalframe_after (evalframe_calls.c).
 */
#ifndef NOPDB_AGENT_ENGINE_EVALFRAME_H
#define NOPDB_AGENT_ENGINE_EVALFRAME_H

#include <stdbool.h>

#include "agent/engine/frames_layout.h"
#include "agent/engine/hookpage.h"

/* How frames of this version are read; set by start. */
extern const struct frames_layout *evalframe_frames;

/* Chooses the hook: while frames or lines are watched, calls from their threads
 * go through the shim. */
void evalframe_choose_hook(void);

/* Takes the hook away without touching the agent's state: in a child after a
 * fork. */
void evalframe_retreat(void);

/* The page's pre and post. */
hookpage_pre evalframe_before;
hookpage_post evalframe_after;

/* Is the frame between the two, so that its end will be seen? */
bool evalframe_in_shim(const void *frame);

/* For such a frame: will its thread be on (evalframe_lines.h) when it returns
 * to its caller? NULL for others. */
bool *evalframe_returns(const void *frame);

/* Forgets all frames in the shim; the blocks go with the agent's memory. */
void evalframe_forget_all(void);

#endif
