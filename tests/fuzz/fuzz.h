/* SPDX-License-Identifier: MIT */
/*
 * fuzz: what the libFuzzer targets share. A broken invariant aborts, which
 * libFuzzer reports with the input that broke it.
 */
#ifndef NOPDB_TESTS_FUZZ_FUZZ_H
#define NOPDB_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define fuzz_check(condition)                                            \
	do {                                                             \
		if (!(condition)) {                                      \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #condition);                   \
			abort();                                         \
		}                                                        \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
