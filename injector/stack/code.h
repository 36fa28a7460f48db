/* SPDX-License-Identifier: MIT */
/*
 * code: code objects of a target, each read once per picture and kept by its
 * address. An address may be freed and taken by another code object while we
 * read: code_forget starts anew.
 */
#ifndef NOPDB_INJECTOR_STACK_CODE_H
#define NOPDB_INJECTOR_STACK_CODE_H

#include "injector/stack/object.h"

#define CODE_TABLE_MAX (1u << 20) /* bytes of a line or exception table */
#define CODE_OPTIMIZED 1	  /* CO_OPTIMIZED: locals are in slots */
#define CODE_SLOTS_MAX 65536	  /* locals and value stack of one frame */

struct code {
	uint64_t address;
	const char *file;
	const char *name; /* qualified name from 3.11 on */
	int first_line;
	int flags;
	int argument_count;
	int locals;	/* co_nlocals */
	int slots;	/* locals, cells and free variables */
	int stack_size; /* of values, above the slots */
	uint64_t start; /* of the instructions; 3.11+, else 0 */
	const uint8_t *lines;
	size_t lines_size;
	const uint8_t *exceptions; /* 3.11+ */
	size_t exceptions_size;
};

struct codes {
	const struct python *python;
	struct arena *arena;
	struct code **table; /* open addressing, by address */
	size_t room, count;
};

int codes_init(struct codes *codes, const struct python *python,
	       struct arena *arena, struct error *err) NOPDB_CHECKED;
void codes_release(struct codes *codes);

/* The code object at an address; NULL: it is none, or no memory. */
const struct code *codes_get(struct codes *codes, uint64_t address);

/* The name of a slot (local, cell or free variable); NULL: unreadable. */
const char *code_slot_name(struct codes *codes, const struct code *code,
			   int slot);

struct code_place {
	int line, end_line, column, end_column; /* 0: unknown */
};

/* Where an instruction (its offset in bytes) is in the source. Columns are
 * bytes of UTF-8, from 1, in 3.11 and later. */
struct code_place code_place_at(const struct python *python,
				const struct code *code, int instruction);

#endif
