/* SPDX-License-Identifier: MIT */
/*
 * frames_objects: frames as PyFrameObject, read through the C-API, for 3.12 and
 * later: where a change of a frame needs the object, and for all of it where
 * frames are laid out otherwise than engine/frames_inner.h knows.
 *
 * The first look at a frame makes its frame object, which the interpreter then
 * keeps for as long as the frame runs, so the pointer is the frame's identity.
 */
#ifndef NOPDB_AGENT_FRAMES_OBJECTS_H
#define NOPDB_AGENT_FRAMES_OBJECTS_H

#include "agent/frames.h"

extern const struct frame_ops frames_objects;

#endif
