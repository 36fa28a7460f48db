/* SPDX-License-Identifier: MIT */
/*
 * memory: the memory of one target, read and written with process_vm_*, or
 * through /proc/PID/mem; it works without ptrace and without stopping
 * anything. Or that of a process that is no more, from wherever its bytes are.
 *
 * Reads for unwinding go through a cache: ranges loaded ahead, and single
 * pages on demand. The cache is only for what does not change (text, unwind
 * tables). Not shared between threads.
 */
#ifndef NOPDB_INJECTOR_MEMORY_H
#define NOPDB_INJECTOR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

#define MEMORY_PAGE 4096u
#define MEMORY_PAGES 256u
#define MEMORY_RANGES 16u

/* Reads as much as there is from address on; the bytes read. */
typedef size_t memory_source(void *arg, uint64_t address, void *buf,
			     size_t size);

struct memory_page {
	uint64_t address; /* 0: empty */
	uint8_t bytes[MEMORY_PAGE];
};

struct memory_range {
	uint64_t low, high;
	uint8_t *bytes;
};

struct memory {
	pid_t pid;
	memory_source *source; /* NULL: the live process pid */
	void *arg;	       /* of source */
	bool bound;	       /* to the memory behind fd, see memory_bind */
	int fd;
	unsigned ranges;
	struct memory_range range[MEMORY_RANGES];
	struct memory_page *pages;
};

/* Fails with NO_MEMORY. */
int memory_init(struct memory *memory, pid_t pid,
		struct error *err) NOPDB_CHECKED;
void memory_release(struct memory *memory);

/* From now on reads and writes through an open /proc/PID/mem, which is
 * borrowed: the memory that the process had then. When it executes another
 * program, both fail. */
void memory_bind(struct memory *memory, int fd);

/* All of it or false. */
bool memory_read(const struct memory *memory, uint64_t address, void *buf,
		 size_t size);
/* A live process only. */
bool memory_write(const struct memory *memory, uint64_t address,
		  const void *buf, size_t size);

/* As much as is mapped from address on; 0 when nothing is. */
size_t memory_read_some(const struct memory *memory, uint64_t address,
			void *buf, size_t size);

/* Through the cache. */
bool memory_read_cached(struct memory *memory, uint64_t address, void *buf,
			size_t size);

/* Loads a range into the cache; a failure only makes later reads slower. */
void memory_preload(struct memory *memory, uint64_t low, uint64_t high);

#endif
