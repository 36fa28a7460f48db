/* SPDX-License-Identifier: MIT */
/*
 * codefilter: code objects known to be of no interest to any probe. The whole
 * cost of an idle probe is one look into it at each call, so the test is
 * inline: the first of a set's four ways is compared, the others are left to
 * codefilter_find, which moves what it finds to the front.
 *
 * Code objects are not held. Their address may be used again, so the key
 * mixes in the name, the file and the line of the code; one that is armed is
 * taken out by codefilter_forget. GIL held.
 */
#ifndef NOPDB_AGENT_ENGINE_CODEFILTER_H
#define NOPDB_AGENT_ENGINE_CODEFILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/python.h"

enum { CODEFILTER_BITS = 12, CODEFILTER_WAYS = 4 };

struct codefilter {
	unsigned name, filename, line; /* offsets in the code object */
	uint64_t way[1 << CODEFILTER_BITS][CODEFILTER_WAYS];
};

extern struct codefilter codefilter;

static inline uint64_t codefilter_key(const struct object *code)
{
	uint64_t name = PY_FIELD(uint64_t, code, codefilter.name);
	uint64_t file = PY_FIELD(uint64_t, code, codefilter.filename);
	uint64_t line = PY_FIELD(uint32_t, code, codefilter.line);

	return (uint64_t)(uintptr_t)code ^ (name << 17 | name >> 47) ^
	       (file << 34 | file >> 30) ^ line << 47;
}

/* Objects are 16-byte aligned; code objects lie some hundred bytes apart. */
static inline uint64_t *codefilter_set(const struct object *code)
{
	uintptr_t address = (uintptr_t)code;

	address = (address >> 5 ^ address >> (5 + CODEFILTER_BITS)) &
		  ((1u << CODEFILTER_BITS) - 1);
	return codefilter.way[address];
}

/* Is it known, and was it looked for last in its set? */
static inline bool codefilter_hit(const struct object *code)
{
	return codefilter_set(code)[0] == codefilter_key(code);
}

void codefilter_clear(void);
bool codefilter_find(const struct object *code);
void codefilter_add(const struct object *code);
void codefilter_forget(const struct object *code);

#endif
