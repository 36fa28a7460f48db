/* SPDX-License-Identifier: MIT */
/*
 * attributes: what an object has of its own: its slots, and its __dict__,
 * which is read where it lies and never made (3.11+ keeps values without a
 * dict). No user code, no new object; the references are borrowed and hold
 * while the GIL is not given up.
 *
 * GIL builds of 3.7-3.15. Where the layout is not proven (attributes_prove),
 * managed values are not read and such an object has no attributes.
 */
#ifndef NOPDB_AGENT_ATTRIBUTES_H
#define NOPDB_AGENT_ATTRIBUTES_H

#include "agent/python.h"

struct attribute {
	const char *slot;   /* a slot's name; NULL: it is in `key` */
	struct object *key; /* of the dict, whatever it is */
	struct object *value;
};

/* A walk over the attributes of one object; no other field is the caller's. */
struct attributes {
	struct object *object;
	struct object *type;	     /* whose slots are next; NULL: no more */
	const struct member *member; /* the next slot */
	struct object *dict;	     /* or, when it is NULL: */
	struct object **values;	     /* 3.11+ */
	const unsigned char *order;  /* of insertion; counts by `step` */
	int step, count;
	const char *entries; /* of the shared keys */
	int entry_size;
	pyssize position;
};

void attributes_begin(struct attributes *walk, struct object *object);
bool attributes_next(struct attributes *walk, struct attribute *ret_attribute);

/* An attribute of this name, borrowed, or NULL. */
struct object *attributes_find(struct object *object, const char *name);

/* Reads managed values from now on, if those of this object are found: its
 * first attributes are name="nopdb" and loader=None, and nobody asked for its
 * dict. */
void attributes_prove(struct object *sample);

/* The nearest base of a type, or itself, that was not made in Python. */
struct object *type_native(struct object *type);

/* Was it made by a class statement (3.7-3.9: or by PyType_FromSpec)? */
bool type_is_python(const struct object *type);

/* PyTypeObject, 3.7-3.15 */
enum type_field {
	TYPE_BASICSIZE = 32,
	TYPE_ITEMSIZE = 40,
	TYPE_SEQUENCE = 104,
	TYPE_MEMBERS = 240,
	TYPE_BASE = 256,
	TYPE_DICT = 264, /* of heap types */
	TYPE_DICTOFFSET = 288,
};

#endif
