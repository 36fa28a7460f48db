/* SPDX-License-Identifier: MIT */
/*
 * ordered: the order of an OrderedDict, which is not that of the dict it is
 * made of once move_to_end() was used: it keeps a list of its own. Read where
 * it lies (Objects/odictobject.c, the same in 3.7-3.15 GIL builds); no key is
 * compared or hashed, so no user code runs. The references are borrowed and
 * hold while the GIL is not given up.
 */
#ifndef NOPDB_AGENT_ORDERED_H
#define NOPDB_AGENT_ORDERED_H

#include "agent/python.h"

struct ordered_entry {
	struct object *key, *value;
	uintptr_t place; /* in the order */
};

/* The first entries of an OrderedDict, in its order. */
struct ordered {
	size_t count, room;
	struct ordered_entry entry[];
};

/* The first `most` entries of a dict, or of a class made of one, fewer when
 * there are too many for us; to be freed. NULL: it has the order of
 * PyDict_Next, or there is no memory. */
struct ordered *ordered_take(struct object *dict, size_t most);

/* NULL is fine. */
void ordered_free(struct ordered *ordered);

#endif
