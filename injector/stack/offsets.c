/* SPDX-License-Identifier: MIT */
#include "injector/stack/offsets.h"

#include <stddef.h>

#include "injector/stack/offsets_table.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* No structure of CPython's is larger: PyInterpreterState has 400 KiB. */
#define OFFSET_MAX (4u << 20)

const struct python_offsets *offsets_find(uint32_t version, bool free_threaded)
{
	for (size_t i = 0; i < COUNT(offsets_table); i++)
		if (offsets_table[i].version == version >> 8 &&
		    offsets_table[i].free_threaded == free_threaded)
			return &offsets_table[i];
	return NULL;
}

static const struct python_offsets *find_words(uint32_t version)
{
	for (size_t i = 0; i < COUNT(debug_words); i++)
		if (debug_words[i].version == version >> 8)
			return &debug_words[i];
	return NULL;
}

/* Takes one field over from the word that tells it, if there is one. */
static bool apply_word(int32_t *field, int32_t word, const uint64_t *words,
		       unsigned count)
{
	if (word <= 0)
		return true;
	if ((unsigned)word >= count || words[word] > OFFSET_MAX)
		return false;
	*field = (int32_t)words[word];
	return true;
}

bool offsets_apply_debug(struct python_offsets *offsets, uint32_t version,
			 const uint64_t *words, unsigned count)
{
	const struct python_offsets *from = find_words(version);
	struct python_offsets to = *offsets;
	bool sound = true;

	if (!from || count < (unsigned)from->rt_size)
		return false;
#define X(name)                                       \
	if (offsetof(struct python_offsets, name) !=  \
	    offsetof(struct python_offsets, rt_size)) \
		sound = apply_word(&to.name, from->name, words, count) && sound;
	PYTHON_OFFSETS(X)
#undef X
	if (sound)
		*offsets = to;
	return sound;
}

unsigned offsets_debug_words(uint32_t version)
{
	const struct python_offsets *words = find_words(version);

	return words ? (unsigned)words->rt_size : 0;
}
