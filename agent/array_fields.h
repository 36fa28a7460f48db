/* SPDX-License-Identifier: MIT */
/*
 * array_fields: the parts that each item of a structured array, or a record
 * of C, consists of. One list at a time: what is in it is used before the next
 * is filled in.
 */
#ifndef NOPDB_AGENT_ARRAY_FIELDS_H
#define NOPDB_AGENT_ARRAY_FIELDS_H

#include "agent/array.h"

enum { FIELDS_MOST = 64, FIELD_NAME = 128 };

struct array_field {
	char name[FIELD_NAME]; /* as JSON, without quotes */
	char type[ARRAY_TYPE_SIZE];
	struct element element;
	int64_t offset; /* bytes */
	bool hidden;	/* by its name */
};

struct array_fields {
	int count;
	bool cut; /* there are more */
	struct array_field field[FIELDS_MOST];
};

#endif
