/* SPDX-License-Identifier: MIT */
/*
 * serve: answers the daemon's frames, one after the other, on the control
 * thread. The GIL is held only inside requests that need it.
 */
#ifndef NOPDB_AGENT_SERVE_H
#define NOPDB_AGENT_SERVE_H

#include <stdint.h>

#include "proto/boot.h"

void serve_ready(uint32_t id);

/* Serves until the daemon says LEAVE, falls silent for silence_ms, sends what
 * is not a frame, or is gone. Returns the id of the LEAVE, 0 without one. */
uint32_t serve(uint32_t silence_ms);

void serve_leaving(uint32_t id, enum boot_leave leave);

#endif
