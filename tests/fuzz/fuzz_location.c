/* SPDX-License-Identifier: MIT */
/* WHERE as users type it: parsed or refused with a reason and a remedy, and
 * what is parsed can be said again within bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/location.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct location where;
	char text[128];
	char *input;

	input = malloc(size + 1);
	fuzz_check(input);
	memcpy(input, data, size);
	input[size] = 0;
	memset(&where, 0, sizeof(where));
	if (location_parse(input, &where, &err)) {
		fuzz_check(err.code != ERROR_NONE && err.msg[0]);
	} else {
		fuzz_check(!location_check(&where, &err));
		memset(text, 'x', sizeof(text));
		fuzz_check(location_text(&where, text, sizeof(text)) == text);
		fuzz_check(memchr(text, 0, sizeof(text)));
	}
	free(input);
	return 0;
}
