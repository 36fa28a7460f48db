/* SPDX-License-Identifier: MIT */
/*
 * gc_walk: the objects that an interpreter's garbage collector has in its
 * lists, one after the other. The lists change while they are walked: a walk
 * may miss some, and ends.
 */
#ifndef NOPDB_INJECTOR_STACK_GC_WALK_H
#define NOPDB_INJECTOR_STACK_GC_WALK_H

#include "injector/stack/runtime.h"

#define GC_LISTS_MAX 8u
#define GC_OBJECTS_MAX (4u << 20)

struct gc_walk {
	const struct python *python;
	uint64_t head[GC_LISTS_MAX];
	size_t lists, list;
	uint64_t node;
	unsigned passed;
};

/* Finds the lists in the collector's state; false: there are none. */
bool gc_walk_start(const struct runtime *runtime, uint64_t interpreter,
		   struct gc_walk *ret_walk);
/* The next object; 0: no more. */
uint64_t gc_walk_next(struct gc_walk *walk);

#endif
