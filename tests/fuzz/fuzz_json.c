/* SPDX-License-Identifier: MIT */
/* The records of a hostile target: what the checker lets through is one line
 * that an independent parser reads as an object without reserved members. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "proto/json_check.h"
#include "tests/fuzz/fuzz.h"

static const char *const reserved[] = { "v", "event", "seq", NULL };

static void check_members(const cJSON *object)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, object)
	{
		for (size_t i = 0; reserved[i]; i++)
			fuzz_check(strcmp(member->string, reserved[i]) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t offset = 0;
	cJSON *parsed;

	if (json_check(text, size, reserved, &offset)) {
		fuzz_check(offset <= size);
		return 0;
	}
	fuzz_check(size >= 2 && !memchr(text, '\n', size));
	/* cJSON refuses lone surrogates, which are valid JSON. */
	if (memmem(text, size, "\\u", 2))
		return 0;
	parsed = cJSON_ParseWithLength(text, size);
	fuzz_check(cJSON_IsObject(parsed));
	check_members(parsed);
	cJSON_Delete(parsed);
	return 0;
}
