/* SPDX-License-Identifier: MIT */
/*
 * ration: how much memory code that runs for a probe may ask of Python's
 * allocators: a request for more than RATION_ONE bytes, or large ones that sum
 * up to RATION_ALL in one hit, end in MemoryError instead of the kernel's
 * killing the program. While any hit runs, functions of ours stand before the
 * allocators; other threads pass through.
 *
 * What extension modules take from the C library is not seen. GIL held.
 */
#ifndef NOPDB_AGENT_RATION_H
#define NOPDB_AGENT_RATION_H

#include <stdbool.h>

#define RATION_ONE (256ull << 20)
#define RATION_ALL (1024ull << 20)

/* Around each hit; nested by threads. */
void ration_begin(void);
void ration_end(void);

/* Did the program put an allocator of its own before ours meanwhile
 * (tracemalloc.start() in an action)? Then our code must stay mapped. */
bool ration_stuck(void);

#endif
