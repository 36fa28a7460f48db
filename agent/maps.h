/* SPDX-License-Identifier: MIT */
/*
 * maps: the mappings of our own process, one after the other, from
 * /proc/self/maps, without a C library and in fixed room. Caller's memory;
 * any thread.
 */
#ifndef NOPDB_AGENT_MAPS_H
#define NOPDB_AGENT_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
	uintptr_t start, end;
	int protection; /* PROT_READ | PROT_WRITE | PROT_EXEC */
	bool anonymous; /* private, without a file and a name of the kernel's */
};

struct maps {
	int fd;
	size_t next, used;
	char buf[2048];
};

/* -1: there is no /proc. */
int maps_open(struct maps *maps);
/* False at the end. */
bool maps_next(struct maps *maps, struct mapping *ret_mapping);
void maps_close(struct maps *maps);

/* The mapping that holds an address; false: none does. */
bool maps_find(uintptr_t address, struct mapping *ret_mapping);

#endif
