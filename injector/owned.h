/* SPDX-License-Identifier: MIT */
/*
 * owned: the cleanup attribute for descriptors and heap memory. A variable
 * declared `owned_fd` or `owned_mem` is released when it goes out of scope,
 * unless it was handed on with steal_fd() or steal_mem().
 */
#ifndef NOPDB_INJECTOR_OWNED_H
#define NOPDB_INJECTOR_OWNED_H

#include <stdlib.h>
#include <unistd.h>

static inline void owned_fd_release(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void owned_mem_release(void *memory)
{
	free(*(void **)memory);
}

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#define owned_fd __attribute__((cleanup(owned_fd_release))) int
#define owned_mem __attribute__((cleanup(owned_mem_release)))

#endif
