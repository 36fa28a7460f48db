/* SPDX-License-Identifier: MIT */
#include "injector/stack/object.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

/* A dict of more entries than this is cut; it would have 4 GiB of keys. */
#define DICT_ENTRIES_MAX (1 << 28)

#define KEYS_AT_ONCE 128

#define KEYS_GENERAL 0 /* dk_kind: entries with a hash, 24 bytes */

/* 3.7-3.10 index entries by a table of 1, 2, 4 or 8 bytes an index. */
static uint64_t index_bytes(uint64_t size)
{
	if (size <= 0xff)
		return size;
	if (size <= 0xffff)
		return size * 2;
	return size <= 0xffffffff ? size * 4 : size * 8;
}

/* Where the entries of a keys object lie, and how many there are. */
static bool walk_keys(const struct python *python, uint64_t keys,
		      struct dict_walk *walk)
{
	struct remote *remote = python->remote;
	uint64_t count, size;
	uint8_t log2, kind = KEYS_GENERAL;

	if (!remote_plausible(keys) ||
	    !remote_u64(remote, keys + AT(dk_nentries), &count))
		return false;
	walk->entries = keys + AT(dk_indices);
	if (python->offsets.dk_kind >= 0) {
		if (!remote_u8(remote, keys + AT(dk_log2_index), &log2) ||
		    !remote_u8(remote, keys + AT(dk_kind), &kind) || log2 > 40)
			return false;
		walk->entries += 1ull << log2;
	} else {
		if (!remote_u64(remote, keys + AT(dk_size), &size) ||
		    size > DICT_ENTRIES_MAX)
			return false;
		walk->entries += index_bytes(size);
	}
	if (count > DICT_ENTRIES_MAX)
		return false;
	walk->count = (int64_t)count;
	walk->index = 0;
	walk->values = 0;
	walk->entry_size = kind == KEYS_GENERAL ? 24 : 16;
	walk->key_offset = kind == KEYS_GENERAL ? 8 : 0;
	walk->value_offset = kind == KEYS_GENERAL ? 16 : 8;
	return true;
}

bool dict_walk_start(const struct python *python, uint64_t dict,
		     struct dict_walk *ret_walk)
{
	uint64_t values;

	if (!object_is_dict(python, dict))
		return false;
	if (!walk_keys(python,
		       remote_pointer(python->remote, dict + AT(dict_keys)),
		       ret_walk) ||
	    !remote_u64(python->remote, dict + AT(dict_values), &values))
		return false;
	if (values)
		ret_walk->values = values + AT(dv_values);
	return true;
}

bool dict_walk_next(const struct python *python, struct dict_walk *walk,
		    struct dict_entry *ret_entry)
{
	while (walk->index < walk->count) {
		uint64_t index = (uint64_t)walk->index++;
		uint64_t at = walk->entries + index * walk->entry_size;
		uint64_t value = walk->values ? walk->values + index * 8
					      : at + walk->value_offset;
		struct dict_entry entry;

		if (!remote_u64(python->remote, at + walk->key_offset,
				&entry.key) ||
		    !remote_u64(python->remote, value, &entry.value))
			return false;
		if (!entry.key || !entry.value)
			continue;
		*ret_entry = entry;
		return true;
	}
	return false;
}

/* The keys of what comes next lie anywhere: their pages in few calls. */
static void fetch_keys(const struct python *python,
		       const struct dict_walk *walk, int64_t most)
{
	uint64_t at[KEYS_AT_ONCE];
	size_t count = 0;

	for (int64_t i = walk->index;
	     i < most && i < walk->count && count < KEYS_AT_ONCE; i++) {
		at[count] = remote_pointer(
			python->remote, walk->entries +
						(uint64_t)i * walk->entry_size +
						walk->key_offset);
		count += remote_plausible(at[count]);
	}
	remote_fetch(python->remote, at, count);
}

static uint64_t walk_find(const struct python *python, struct dict_walk *walk,
			  const char *key, int64_t most)
{
	struct dict_entry entry;

	if (walk->count > most)
		walk->count = most;
	for (int64_t i = 0; dict_walk_next(python, walk, &entry); i++) {
		if (object_text_is(python, entry.key, key))
			return entry.value;
		if (i % KEYS_AT_ONCE == 7)
			fetch_keys(python, walk, most);
	}
	return 0;
}

uint64_t dict_get_within(const struct python *python, uint64_t dict,
			 const char *key, int64_t most)
{
	struct dict_walk walk;

	return dict_walk_start(python, dict, &walk)
		       ? walk_find(python, &walk, key, most)
		       : 0;
}

uint64_t dict_get(const struct python *python, uint64_t dict, const char *key)
{
	return dict_get_within(python, dict, key, DICT_LOOKUP_MAX);
}

/* ---- attributes -------------------------------------------------------------
 */

/* Values that lie apart from their keys, which the type shares. */
static bool walk_values(const struct python *python, uint64_t type,
			uint64_t values, struct dict_walk *walk)
{
	uint64_t keys =
		remote_pointer(python->remote, type + AT(ht_cached_keys));

	if (!remote_plausible(values) || !walk_keys(python, keys, walk))
		return false;
	walk->values = values + AT(dv_values);
	return true;
}

/* 3.11 keeps values at -4 and the dict at -3 words; 3.12 either at -3, values
 * marked by bit 0; 3.13 the dict at -3 (free-threaded: -1), and the values
 * behind the object for as long as their fourth byte says so. */
static bool managed_start(const struct python *python, uint64_t object,
			  uint64_t type, uint64_t flags, struct dict_walk *walk)
{
	uint64_t at = object - (python->free_threaded ? 8 : 24);
	uint64_t dict = remote_pointer(python->remote, at);
	uint64_t values;
	uint8_t valid;

	if (python_minor(python) == 11) {
		values = remote_pointer(python->remote, object - 32);
		if (values)
			return walk_values(python, type, values, walk);
	}
	if (python_minor(python) == 12 && dict & 1)
		return walk_values(python, type, dict + 1, walk);
	if (dict)
		return dict_walk_start(python, dict, walk);
	if (!(flags & TYPE_INLINE_VALUES) || python_minor(python) < 13)
		return false;
	values = object + (uint64_t)object_type_basicsize(python, type);
	return remote_u8(python->remote, values + 3, &valid) && valid == 1 &&
	       walk_values(python, type, values, walk);
}

/* Negative offsets count from the end of a variable object, which is padded
 * to words: PyObject_GetDictPtr. */
static uint64_t dict_offset(const struct python *python, uint64_t object,
			    uint64_t type)
{
	int64_t offset = (int64_t)remote_pointer(python->remote,
						 type + AT(tp_dictoffset));
	int64_t size, item, basic = object_type_basicsize(python, type);

	if (offset >= 0)
		return (uint64_t)offset;
	size = (int64_t)remote_pointer(python->remote, object + AT(ob_size));
	item = (int64_t)remote_pointer(python->remote, type + AT(tp_itemsize));
	if (size < 0)
		size = -size;
	if (size < 0 || size > INT32_MAX || item < 0 || item > INT32_MAX ||
	    basic < 0 || basic > INT32_MAX || offset < -INT32_MAX)
		return 0;
	return (uint64_t)(((basic + size * item + 7) & ~7ll) + offset);
}

bool attributes_start(const struct python *python, uint64_t object,
		      struct dict_walk *ret_walk)
{
	uint64_t type = object_type(python, object);
	uint64_t flags = object_type_flags(python, type), offset;

	if (!flags)
		return false;
	if (python_minor(python) >= 11 && flags & TYPE_MANAGED_DICT)
		return managed_start(python, object, type, flags, ret_walk);
	offset = dict_offset(python, object, type);
	if (!offset || offset > INT32_MAX)
		return false;
	return dict_walk_start(python,
			       remote_pointer(python->remote, object + offset),
			       ret_walk);
}

uint64_t attribute_get(const struct python *python, uint64_t object,
		       const char *name)
{
	struct dict_walk walk;

	return attributes_start(python, object, &walk)
		       ? walk_find(python, &walk, name, DICT_LOOKUP_MAX)
		       : 0;
}

/* A member descriptor (PyMemberDescrObject) of a type, and its PyMemberDef:
 * the same in all versions. */
#define DESCR_MEMBER 40u
#define MEMBER_OFFSET 16u
#define SLOT_BASES_MAX 8

static uint64_t slot_of_type(const struct python *python, uint64_t type,
			     uint64_t object, const char *name)
{
	struct remote *remote = python->remote;
	uint64_t descriptor, member, offset;

	if (!(object_type_flags(python, type) & TYPE_HEAP))
		return 0;
	descriptor = dict_get(python,
			      remote_pointer(remote, type + AT(tp_dict)), name);
	if (!object_is(python, descriptor, "member_descriptor"))
		return 0;
	member = remote_pointer(remote, descriptor + DESCR_MEMBER);
	offset = member ? remote_pointer(remote, member + MEMBER_OFFSET) : 0;
	return offset && offset < INT32_MAX
		       ? remote_pointer(remote, object + offset)
		       : 0;
}

uint64_t attribute_of_slot(const struct python *python, uint64_t object,
			   const char *name)
{
	uint64_t type = object_type(python, object), value = 0;
	uint64_t mro =
		type ? remote_pointer(python->remote, type + AT(tp_mro)) : 0;

	for (int64_t i = 0; i < SLOT_BASES_MAX && !value; i++) {
		uint64_t base = object_tuple_item(python, mro, i);

		if (!base)
			return 0;
		value = slot_of_type(python, base, object, name);
	}
	return value;
}
