/* SPDX-License-Identifier: MIT */
/*
 * remote: the memory of a target, read page by page into a cache, so that a
 * walk over thousands of small objects takes few system calls. The cache is
 * of one moment: remote_forget empties it, and what is read next is new.
 *
 * Where the bytes come from is a function: a live process, a core file, or a
 * recorded image. Every address is the target's word and may be anything.
 * Not shared between threads.
 */
#ifndef NOPDB_INJECTOR_STACK_REMOTE_H
#define NOPDB_INJECTOR_STACK_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "injector/target/memory.h"

#define REMOTE_PAGE 4096u
#define REMOTE_PAGES_MAX 16384u /* cached at a time: 64 MiB */
#define REMOTE_SLAB_PAGES 64u
#define REMOTE_SLABS_MAX (REMOTE_PAGES_MAX / REMOTE_SLAB_PAGES)

struct remote_page;

struct remote {
	memory_source *source;
	void *arg;
	pid_t pid;  /* 0: no live process */
	pid_t self; /* the id that the process has or had; 0: unknown */
	/* Did a process that is no more have this thread? NULL: not told. */
	bool (*had_thread)(void *arg, pid_t tid);
	uint32_t generation;
	uint32_t pages; /* in this generation */
	size_t room;	/* of table: a power of two */
	struct remote_page *table;
	uint64_t last_base;
	const uint8_t *last;   /* the page at last_base; NULL: none */
	uint32_t slabs, taken; /* pages taken from them, in this generation */
	uint8_t *slab[REMOTE_SLABS_MAX]; /* where pages go; owned */
	uint64_t reads;			 /* calls of the source */
};

/* A live process. Fails with NO_MEMORY. */
int remote_init(struct remote *self, pid_t pid,
		struct error *err) NOPDB_CHECKED;
/* Anything else. */
int remote_init_source(struct remote *self, memory_source *source, void *arg,
		       struct error *err) NOPDB_CHECKED;
void remote_release(struct remote *self);

/* What is read from now on is read anew. */
void remote_forget(struct remote *self);

/* Makes ready to cache so many pages, which saves time later. */
void remote_reserve(struct remote *self, size_t pages);

/* Is it known what is at this address, or that nothing is? */
bool remote_cached(const struct remote *self, uint64_t address);

/* All of it or false. */
bool remote_read(struct remote *self, uint64_t address, void *buf, size_t size);

/* The same without a copy where they lie on one page: valid until the next
 * remote_forget. NULL: not all of it. buf has room for them. */
const void *remote_view(struct remote *self, uint64_t address, void *buf,
			size_t size);

/* Past the cache, for what is large or read once; the bytes read. */
size_t remote_read_some(const struct remote *self, uint64_t address, void *buf,
			size_t size);

/* Fetches the pages of many addresses that are not cached, with few system
 * calls; what cannot be read is left alone. */
void remote_fetch(struct remote *self, const uint64_t *addresses, size_t count);

/* Numbers at many addresses that nothing else is read beside, past the cache;
 * 0 for what cannot be read. */
void remote_gather(struct remote *self, const uint64_t *addresses, size_t count,
		   int32_t *ret_values);

/* 0 when it cannot be read. */
uint64_t remote_pointer(struct remote *self, uint64_t address);

bool remote_u64(struct remote *self, uint64_t address, uint64_t *ret_value);
bool remote_i32(struct remote *self, uint64_t address, int32_t *ret_value);
bool remote_u8(struct remote *self, uint64_t address, uint8_t *ret_value);

/* A C string of at most size - 1 bytes; false: unreadable, or not ended. */
bool remote_text(struct remote *self, uint64_t address, char *buf, size_t size);

/* Could it be the address of an object: not NULL, aligned, in user space? */
static inline bool remote_plausible(uint64_t address)
{
	return address >= 4096 && !(address & 7) && address < 1ull << 47;
}

#endif
