/* SPDX-License-Identifier: MIT */
/*
 * maps: the mappings of a process, from /proc/PID/maps. A snapshot: the
 * target may map and unmap while it is read and ever after.
 */
#ifndef NOPDB_INJECTOR_MAPS_H
#define NOPDB_INJECTOR_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

enum mapping_right {
	MAPPING_READ = 1,
	MAPPING_WRITE = 2,
	MAPPING_EXEC = 4,
};

struct mapping {
	uint64_t low, high;
	uint64_t offset;
	uint64_t inode;
	unsigned device_major, device_minor;
	unsigned rights;
	const char *path; /* into the snapshot's text; "" when none */
};

struct maps {
	struct mapping *list;
	size_t count;
	char *text;
};

/* Reads a process's maps; fails with NO_PROCESS, NOT_PERMITTED or SYSTEM. The
 * result is released with maps_release. */
int maps_read(pid_t pid, struct maps *ret_maps,
	      struct error *err) NOPDB_CHECKED;

/* Parses the text of a maps file in place; takes the text over, also when it
 * fails (NO_MEMORY). Lines that are none are passed over. */
int maps_parse(char *text, struct maps *ret_maps,
	       struct error *err) NOPDB_CHECKED;

/* The mapping that holds an address, or NULL. */
const struct mapping *maps_find(const struct maps *maps, uint64_t address);

void maps_release(struct maps *maps);

#endif
