/* SPDX-License-Identifier: MIT */
/*
 * reading: all that is read of an interpreter's memory for a picture of its
 * stacks: threads, frames, code, lines, local variables, a chain of awaits,
 * the collector's lists, names of C functions. And how the memory that this
 * touches is recorded: an image is a head, then pages with their addresses.
 */
#ifndef NOPDB_TESTS_FUZZ_IMAGES_READING_H
#define NOPDB_TESTS_FUZZ_IMAGES_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "injector/stack/remote.h"

#define IMAGE_MAGIC "nopdbim1"
#define IMAGE_PAGE 4096u
#define IMAGE_PAGES_MAX 4096u

struct image_head {
	char magic[8];
	uint64_t runtime;   /* address of _PyRuntime */
	uint64_t version;   /* 0x030b02 */
	uint64_t coroutine; /* of a chain that is suspended */
	uint64_t pages;
};

struct image_page {
	uint64_t address;
	uint8_t bytes[IMAGE_PAGE];
};

/* What was found; of an image that nothing was done to, all of it. */
struct reading {
	size_t threads, frames, locals, awaits, objects;
};

void reading_all(struct remote *remote, const struct image_head *head,
		 struct reading *ret_reading);

#endif
