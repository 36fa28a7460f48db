/* SPDX-License-Identifier: MIT */
#include "injector/stack/object.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define SET_PLACES_MAX (1u << 24)
#define ENTRY_BYTES 16u /* setentry: key and hash */

bool set_walk_start(const struct python *python, uint64_t set,
		    struct set_walk *ret_walk)
{
	uint64_t mask;

	if (!object_is(python, set, "set") &&
	    !object_is(python, set, "frozenset"))
		return false;
	if (!remote_u64(python->remote, set + AT(set_mask), &mask) ||
	    mask >= SET_PLACES_MAX)
		return false;
	ret_walk->table = remote_pointer(python->remote, set + AT(set_table));
	ret_walk->places = mask + 1;
	ret_walk->index = 0;
	return ret_walk->table != 0;
}

/* The hash of what was removed is -1. */
uint64_t set_walk_next(const struct python *python, struct set_walk *walk)
{
	uint64_t entry[2];

	while (walk->index < walk->places) {
		uint64_t at = walk->table + walk->index++ * ENTRY_BYTES;

		if (!remote_read(python->remote, at, entry, sizeof(entry)))
			return 0;
		if (entry[0] && entry[1] != UINT64_MAX)
			return entry[0];
	}
	return 0;
}
