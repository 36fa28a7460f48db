/* SPDX-License-Identifier: MIT */
/*
 * version: which CPython runs in a target, told from outside.
 */
#ifndef NOPDB_INJECTOR_VERSION_H
#define NOPDB_INJECTOR_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "injector/target/memory.h"
#include "injector/target/modules.h"

#define VERSION_FIRST 0x030700u
#define VERSION_LAST 0x030fffu

/* 0x030b02 for 3.11.2; without a micro part (0x030b00) when only the file
 * name tells; 0 when nothing does. */
uint32_t version_read(const struct memory *memory, const struct module *python);

/* The same, with the address of Py_Version known (0: it has none); of the
 * module only low, text and path are used. */
uint32_t version_read_at(const struct memory *memory,
			 const struct module *python, uint64_t address);

/* The version in the text that Py_GetVersion() returns, somewhere in bytes;
 * 0 when it is not there. */
uint32_t version_in_text(const char *bytes, size_t size);

/* The version in a file's name: libpython3.9.so.1.0, python3.9; 0: none. */
uint32_t version_in_path(const char *path);

/* The minor part: 11 of 0x030b02. */
static inline unsigned version_minor(uint32_t version)
{
	return version >> 8 & 0xff;
}

static inline unsigned version_micro(uint32_t version)
{
	return version & 0xff;
}

static inline bool version_supported(uint32_t version)
{
	return version >= VERSION_FIRST && version <= VERSION_LAST;
}

#endif
