/* SPDX-License-Identifier: MIT */
/*
 * entries: the ways into the stub, as offsets from the region's start.
 * Shared between the injector, which jumps there, and stub/CPU.h.
 */
#ifndef NOPDB_INJECTOR_STUB_ENTRIES_H
#define NOPDB_INJECTOR_STUB_ENTRIES_H

/* The hijacked thread: argument struct boot *; never returns, see CPU.h. */
#define STUB_HIJACK 0
/* The new thread's start routine: void *(*)(struct boot *). */
#define STUB_THREAD 128
/* A pending call of Python's: int (*)(struct boot *). */
#define STUB_PENDING 192

#endif
