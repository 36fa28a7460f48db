/* SPDX-License-Identifier: MIT */
/*
 * object: Python objects in a target's memory, read by their layout. Nothing
 * is executed. Objects change while they are read: a result is what the bytes
 * said, bounded, never a promise.
 */
#ifndef NOPDB_INJECTOR_STACK_OBJECT_H
#define NOPDB_INJECTOR_STACK_OBJECT_H

#include "injector/stack/arena.h"
#include "injector/stack/offsets.h"
#include "injector/stack/remote.h"

#define OBJECT_TYPE_NAME 128u
#define OBJECT_TEXT_MAX 65536u /* characters of one string */

/* Bits of tp_flags, the same in all versions. */
#define TYPE_HEAP (1ull << 9)
#define TYPE_LONG (1ull << 24)
#define TYPE_LIST (1ull << 25)
#define TYPE_TUPLE (1ull << 26)
#define TYPE_BYTES (1ull << 27)
#define TYPE_UNICODE (1ull << 28)
#define TYPE_DICT (1ull << 29)
#define TYPE_EXCEPTION (1ull << 30)
#define TYPE_TYPE (1ull << 31)
#define TYPE_INLINE_VALUES (1ull << 2) /* 3.13+ */
#define TYPE_MANAGED_DICT (1ull << 4)  /* 3.11+ */

/* What reading objects needs; the memory is a moment's (remote_forget). */
struct python {
	struct remote *remote;
	struct python_offsets offsets;
	uint32_t version; /* 0x030b02 */
	bool free_threaded;
};

static inline unsigned python_minor(const struct python *python)
{
	return python->version >> 8 & 0xff;
}

/* A reference as it lies in a frame: from 3.14 on (3.13 free-threaded too)
 * its low bits are tags. */
uint64_t object_untag(const struct python *python, uint64_t reference);

/* Address of the type; 0: unreadable. */
uint64_t object_type(const struct python *python, uint64_t object);
uint64_t object_type_flags(const struct python *python, uint64_t type);
int64_t object_type_basicsize(const struct python *python, uint64_t type);

/* tp_name: "str", "_thread.lock", of heap types without the module. */
bool object_type_name(const struct python *python, uint64_t type, char *buf,
		      size_t size);
/* Is it exactly of the type with this tp_name? */
bool object_is(const struct python *python, uint64_t object, const char *name);

/* Is it a dict, or of a class made of that? A frozendict is one, too (3.15):
 * but by its flags it has the layout of one. */
bool object_is_dict(const struct python *python, uint64_t object);

/* Is its type, or one that it derives from, of this tp_name? */
bool object_is_a(const struct python *python, uint64_t object,
		 const char *name);

/* ob_size of a variable object; -1: unreadable. */
int64_t object_size(const struct python *python, uint64_t object);

/* A str as UTF-8, surrogates and what is beyond Unicode replaced, cut at most
 * characters. NULL: no readable str, or no room. */
char *object_text(const struct python *python, struct arena *arena,
		  uint64_t object, size_t most);
/* The same with what may hold NULs: its bytes, and how many characters the
 * whole str has. */
char *object_text_whole(const struct python *python, struct arena *arena,
			uint64_t object, size_t most, size_t *ret_size,
			uint64_t *ret_length);
/* The same into a buffer, cut at its end; false: no readable str. */
bool object_text_into(const struct python *python, uint64_t object, char *buf,
		      size_t size);
bool object_text_is(const struct python *python, uint64_t object,
		    const char *text);

/* How many digits of 30 bits an int has. */
bool object_int_size(const struct python *python, uint64_t object,
		     uint64_t *ret_digits, bool *ret_negative);
/* An int that fits; false: none, or larger. */
bool object_int(const struct python *python, uint64_t object,
		int64_t *ret_value);

bool object_float(const struct python *python, uint64_t object,
		  double *ret_value);

/* Items of a tuple or list; 0: beyond its end, or unreadable. */
uint64_t object_tuple_item(const struct python *python, uint64_t tuple,
			   int64_t index);
uint64_t object_list_item(const struct python *python, uint64_t list,
			  int64_t index);

/* ---- set
 * ----------------------------------------------------------------------- */

struct set_walk {
	uint64_t table, places, index;
};

/* Starts a walk over a set or frozenset; false: it makes no sense. */
bool set_walk_start(const struct python *python, uint64_t set,
		    struct set_walk *ret_walk);
/* The next item; 0: no more. Bounded by the walk. */
uint64_t set_walk_next(const struct python *python, struct set_walk *walk);

/* ---- dict, and the attributes of an instance -------------------------------
 */

struct dict_entry {
	uint64_t key, value;
};

struct dict_walk {
	uint64_t entries, values; /* values: of a split table, else 0 */
	int64_t count, index;
	uint32_t entry_size, key_offset, value_offset;
};

/* Starts a walk over a dict; false: it makes no sense. */
bool dict_walk_start(const struct python *python, uint64_t dict,
		     struct dict_walk *ret_walk);
/* The next entry that is in use; false: no more. Bounded by the walk. */
bool dict_walk_next(const struct python *python, struct dict_walk *walk,
		    struct dict_entry *ret_entry);
/* The value of a str key among the first entries; 0: absent. Linear. */
#define DICT_LOOKUP_MAX 65536
uint64_t dict_get(const struct python *python, uint64_t dict, const char *key);
uint64_t dict_get_within(const struct python *python, uint64_t dict,
			 const char *key, int64_t most);

/* A walk over the instance attributes, wherever this version keeps them:
 * a dict, or inline values with the type's keys (3.11+). */
bool attributes_start(const struct python *python, uint64_t object,
		      struct dict_walk *ret_walk);
uint64_t attribute_get(const struct python *python, uint64_t object,
		       const char *name);
/* The same for what the type declared in __slots__. */
uint64_t attribute_of_slot(const struct python *python, uint64_t object,
			   const char *name);

#endif
