/* SPDX-License-Identifier: MIT */
#include "clients/cli/completion.h"

#include <string.h>

static const struct {
	const char *name;
	unsigned kinds;
} names[] = {
	{ "PID", COMPLETE_PID },       { "CORE", COMPLETE_FILE },
	{ "FILE", COMPLETE_FILE },     { "PATH", COMPLETE_FILE },
	{ "FOLDER", COMPLETE_FOLDER }, { "VERB", COMPLETE_VERB },
};

/* What a name of the usage texts stands for. */
static unsigned kinds_of(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i].name) == length &&
		    !memcmp(names[i].name, name, length))
			return names[i].kinds;
	return 0;
}

/* Of a word like [PID], WHERE... or PID|CORE. */
static unsigned kinds_of_word(const char *word, size_t length)
{
	static const char marks[] = "[]|.";
	unsigned kinds = 0;
	size_t from = 0;

	for (size_t at = 0; at <= length; at++) {
		if (at < length && !strchr(marks, word[at]))
			continue;
		kinds |= kinds_of(word + from, at - from);
		from = at + 1;
	}
	return kinds;
}

unsigned completion_argument(const struct verb *verb, int position)
{
	const char *word = verb->arguments;

	for (;;) {
		size_t length = strcspn(word, " ");
		bool repeats =
			length > 3 && !memcmp(word + length - 3, "...", 3);

		if (position == 0 || (repeats && !word[length]))
			return kinds_of_word(word, length);
		if (!word[length])
			return 0;
		word += length + 1;
		position--;
	}
}

unsigned completion_value(const struct option_entry *entry)
{
	return entry->argument
		       ? kinds_of(entry->argument, strlen(entry->argument))
		       : 0;
}
