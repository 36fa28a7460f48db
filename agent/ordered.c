/* SPDX-License-Identifier: MIT */
#include "agent/ordered.h"

#include "agent/attributes.h"
#include "agent/memory.h"
#include "agent/sys.h"

enum {
	/* PyODictObject: od_first follows a PyDictObject. */
	FIRST = 48,
	WHOLE = 112,
	/* _ODictNode, without the head of an object */
	NODE_KEY = 0,
	NODE_NEXT = 16,

	ENTRIES = 1024,	     /* that are put into order */
	LOOKED_AT = 1 << 18, /* entries of the dict, to find these */
};

/* The node after another; the first one after none. */
static char *next_node(struct object *dict, char *node)
{
	return node ? PY_FIELD(char *, node, NODE_NEXT)
		    : PY_FIELD(char *, dict, FIRST);
}

static bool is_ordered(struct object *dict)
{
	const struct object *native = type_native(dict->type);

	return native && native != py.PyDict_Type &&
	       PY_FIELD(pyssize, native, TYPE_BASICSIZE) == WHOLE &&
	       text_equal(py_type_name(native), "collections.OrderedDict");
}

/* Are the first entries of both in the same order? */
static bool agrees(struct object *dict, size_t most)
{
	struct object *key, *value;
	char *node = NULL;
	pyssize at = 0;

	for (size_t i = 0; i < most; i++) {
		node = next_node(dict, node);
		if (!node)
			return true;
		if (!py.PyDict_Next(dict, &at, &key, &value) ||
		    PY_FIELD(struct object *, node, NODE_KEY) != key)
			return false;
	}
	return true;
}

static size_t size_of(size_t room)
{
	return sizeof(struct ordered) + room * sizeof(struct ordered_entry);
}

/* Sorts by key or by place; no recursion, for a stack that may be small. */
static void sort(struct ordered *ordered, bool by_place)
{
	struct ordered_entry *entry = ordered->entry;
	size_t count = ordered->count;

	for (size_t gap = count / 2; gap; gap /= 2)
		for (size_t i = gap; i < count; i++) {
			struct ordered_entry one = entry[i];
			size_t at = i;

			for (; at >= gap &&
			       (by_place ? entry[at - gap].place > one.place
					 : entry[at - gap].key > one.key);
			     at -= gap)
				entry[at] = entry[at - gap];
			entry[at] = one;
		}
}

/* Gives the entry of a key its value, while they are sorted by key. */
static bool settle(struct ordered *ordered, const struct object *key,
		   struct object *value)
{
	size_t low = 0, high = ordered->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ordered->entry[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ordered->count || ordered->entry[low].key != key)
		return false;
	ordered->entry[low].value = value;
	return true;
}

/* The values of all keys, in one walk over the dict. */
static void find_values(struct object *dict, struct ordered *ordered)
{
	struct object *key, *value;
	size_t found = 0;
	pyssize at = 0;

	for (int i = 0; i < LOOKED_AT && found < ordered->count; i++) {
		if (!py.PyDict_Next(dict, &at, &key, &value))
			break;
		found += settle(ordered, key, value);
	}
}

static void take_keys(struct object *dict, struct ordered *ordered)
{
	char *node = NULL;

	while (ordered->count < ordered->room) {
		node = next_node(dict, node);
		if (!node)
			return;
		ordered->entry[ordered->count] = (struct ordered_entry){
			.key = PY_FIELD(struct object *, node, NODE_KEY),
			.place = ordered->count,
		};
		ordered->count++;
	}
}

struct ordered *ordered_take(struct object *dict, size_t most)
{
	size_t length = (size_t)py.PyDict_Size(dict), room;
	struct ordered *ordered;

	if (!length || !is_ordered(dict))
		return NULL;
	room = most < length ? most : length;
	if (room > ENTRIES)
		room = ENTRIES;
	if (agrees(dict, room))
		return NULL;
	ordered = memory_get(size_of(room));
	if (!ordered)
		return NULL;
	ordered->room = room;
	take_keys(dict, ordered);
	sort(ordered, false);
	find_values(dict, ordered);
	sort(ordered, true);
	for (size_t i = 0; i < ordered->count; i++)
		if (!ordered->entry[i].value)
			ordered->count = i;
	return ordered;
}

void ordered_free(struct ordered *ordered)
{
	if (ordered)
		memory_put(ordered, size_of(ordered->room));
}
