/* SPDX-License-Identifier: MIT */
/*
 * file_cache: what each mapped file is, by device and inode, for the time of
 * one walk over all processes: most of them map the same files.
 */
#ifndef NOPDB_INJECTOR_FILE_CACHE_H
#define NOPDB_INJECTOR_FILE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "injector/target/maps.h"

struct file_traits {
	uint64_t inode;
	unsigned device_major, device_minor;
	uint16_t machine;
	bool python, free_threaded, libc, glibc;
	uint64_t low;
	uint64_t version; /* address of Py_Version in the file; 0: none */
};

struct file_cache {
	struct file_traits *list; /* open addressing; inode 0: free */
	size_t room, count;
};

/* The traits of the file behind a mapping of a process; NULL when it cannot be
 * read or memory is short. Valid until the next call. */
const struct file_traits *file_cache_get(struct file_cache *cache, pid_t pid,
					 const struct mapping *mapping);
void file_cache_release(struct file_cache *cache);

#endif
