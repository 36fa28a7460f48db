/* SPDX-License-Identifier: MIT */
#include "agent/engine/codefilter.h"

#include "agent/engine/layout.h"
#include "agent/sys.h"

struct codefilter codefilter;

void codefilter_clear(void)
{
	memset(codefilter.way, 0, sizeof codefilter.way);
	codefilter.name = (unsigned)layout->code_name;
	codefilter.filename = (unsigned)layout->code_filename;
	codefilter.line = (unsigned)layout->code_line;
}

/* The way that holds a key, -1 when none does. */
static int way_of(const uint64_t *set, uint64_t key)
{
	for (int i = 0; i < CODEFILTER_WAYS; i++)
		if (set[i] == key)
			return i;
	return -1;
}

bool codefilter_find(const struct object *code)
{
	uint64_t *set = codefilter_set(code);
	uint64_t key = codefilter_key(code);
	int way = way_of(set, key);

	if (way < 0)
		return false;
	set[way] = set[0];
	set[0] = key;
	return true;
}

/* The new one goes to the front; what was last in order goes away. */
void codefilter_add(const struct object *code)
{
	uint64_t *set = codefilter_set(code);

	for (int i = CODEFILTER_WAYS - 1; i > 0; i--)
		set[i] = set[i - 1];
	set[0] = codefilter_key(code);
}

void codefilter_forget(const struct object *code)
{
	uint64_t *set = codefilter_set(code);
	int way = way_of(set, codefilter_key(code));

	if (way >= 0)
		set[way] = 0;
}
