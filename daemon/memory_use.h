/* SPDX-License-Identifier: MIT */
/*
 * memory_use: what the daemon holds for its clients and targets. Loop thread
 * only.
 */
#ifndef NOPDB_DAEMON_MEMORY_USE_H
#define NOPDB_DAEMON_MEMORY_USE_H

#include <stdint.h>

struct daemon;

struct memory_use {
	uint64_t queued; /* bytes that wait for clients to read them */
	uint64_t rings;	 /* bytes mapped, shared with the targets */
};

struct memory_use memory_use(const struct daemon *daemon);

#endif
