/* SPDX-License-Identifier: MIT */
/* Patterns from users against names from targets: no pair of them reads out
 * of bounds or takes long. The input is pattern, NUL, text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/glob.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *pattern, *text;
	size_t length;

	if (size > 1024)
		return 0;
	pattern = malloc(size + 1);
	fuzz_check(pattern);
	memcpy(pattern, data, size);
	pattern[size] = 0;
	length = strlen(pattern);
	text = strdup(length < size ? pattern + length + 1 : "");
	fuzz_check(text);
	if (glob_is_literal(pattern))
		fuzz_check(glob_match(pattern, text) == !strcmp(pattern, text));
	else
		(void)glob_match(pattern, text);
	(void)glob_match_path(pattern, text);
	free(text);
	free(pattern);
	return 0;
}
