/* SPDX-License-Identifier: MIT */
/*
 * selftest: before the daemon hears READY, one call is captured in this very
 * process, with the engine, the frame layout and the value writer that the
 * probes will use, and the record is compared byte by byte where it must not
 * vary. What a version changed without our knowledge is thus found before it
 * meets the program. Nothing of it reaches the ring.
 */
#ifndef NOPDB_AGENT_SELFTEST_H
#define NOPDB_AGENT_SELFTEST_H

#include "proto/frame.h"

/* Control thread, GIL held, engine started and armed. ENGINE on failure. */
int selftest_run(struct frame_error *err);

#endif
