/* SPDX-License-Identifier: MIT */
#include "injector/stack/gc_walk.h"

#include <string.h>

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

/* PyGC_Head: next and previous, from 3.8 on with flags in their low bits;
 * 3.7 adds a count, and a long double's alignment. */
#define FLAGS 3u
#define STATE_BYTES 1024 /* of the collector, before `collecting` */

static uint64_t next_of(const struct python *python, uint64_t node)
{
	return remote_pointer(python->remote, node) & ~(uint64_t)FLAGS;
}

/* Both neighbours of a list's head point back to it. An empty list is no
 * loss. */
static bool is_head(const struct python *python, uint64_t at)
{
	uint64_t next = next_of(python, at);
	uint64_t previous = next_of(python, at + 8);

	return remote_plausible(next) && remote_plausible(previous) &&
	       next != at && next_of(python, next + 8) == at &&
	       next_of(python, previous) == at;
}

bool gc_walk_start(const struct runtime *runtime, uint64_t interpreter,
		   struct gc_walk *ret_walk)
{
	const struct python *python = &runtime->python;
	uint64_t gc = python->offsets.is_gc >= 0 ? interpreter + AT(is_gc)
						 : runtime->address + AT(rt_gc);
	struct gc_walk walk = { .python = python };
	int end = python->offsets.gc_collecting;

	if (python->free_threaded)
		return false;
	for (int at = 0; at + 16 <= end && at < STATE_BYTES; at += 8)
		if (walk.lists < GC_LISTS_MAX &&
		    is_head(python, gc + (uint64_t)at))
			walk.head[walk.lists++] = gc + (uint64_t)at;
	if (walk.lists)
		walk.node = walk.head[0];
	*ret_walk = walk;
	return walk.lists > 0;
}

/* Of a large heap few pages are met twice. */
static void make_room(struct remote *remote)
{
	if (remote->pages >= REMOTE_PAGES_MAX / 2)
		remote_forget(remote);
}

uint64_t gc_walk_next(struct gc_walk *walk)
{
	const struct python *python = walk->python;
	uint64_t head_size = python_minor(python) == 7 ? 32 : 16;

	while (walk->list < walk->lists && walk->passed < GC_OBJECTS_MAX) {
		make_room(python->remote);
		walk->node = next_of(python, walk->node);
		if (walk->node != walk->head[walk->list] &&
		    remote_plausible(walk->node)) {
			walk->passed++;
			return walk->node + head_size;
		}
		if (++walk->list < walk->lists)
			walk->node = walk->head[walk->list];
	}
	return 0;
}
