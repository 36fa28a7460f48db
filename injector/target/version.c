/* SPDX-License-Identifier: MIT */
#include "injector/target/version.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "injector/owned.h"

/* Read-only data, data and bss of libpython: 3 MB in 3.10. */
#define VERSION_SCAN (8u << 20)
#define VERSION_TEXT 250 /* static buffer in Python/getversion.c */

/* Reads a number of at most three digits; NULL when there is none. */
static const char *parse_number(const char *text, const char *end,
				unsigned *ret_number)
{
	const char *at = text;
	unsigned number = 0;

	while (at < end && at - text < 3 && isdigit((unsigned char)*at))
		number = number * 10 + (unsigned)(*at++ - '0');
	if (at == text || number > 255)
		return NULL;
	*ret_number = number;
	return at;
}

/* "3.9.18 (main, Jan  1 2024, 00:00:00) \n[GCC 12.2.0]" at this place? The
 * micro part may be followed by "rc1" or "+". */
static uint32_t parse_version(const char *at, const char *end)
{
	const char *limit = end - at > VERSION_TEXT ? at + VERSION_TEXT : end;
	unsigned minor, micro;

	at = parse_number(at + 2, limit, &minor);
	if (!at || at == limit || *at != '.')
		return 0;
	at = parse_number(at + 1, limit, &micro);
	if (!at)
		return 0;
	while (at < limit && (isalnum((unsigned char)*at) || *at == '+'))
		at++;
	if (limit - at < 2 || at[0] != ' ' || at[1] != '(')
		return 0;
	/* Since 3.10 there is no newline before the compiler. */
	if (!memmem(at, (size_t)(limit - at), ") \n[", 4) &&
	    !memmem(at, (size_t)(limit - at), ") [", 3))
		return 0;
	return 0x030000u | minor << 8 | micro;
}

uint32_t version_in_text(const char *bytes, size_t size)
{
	const char *end = bytes + size, *at = bytes;
	uint32_t version;

	while (at < end &&
	       (at = memmem(at, (size_t)(end - at), "3.", 2)) != NULL) {
		version = parse_version(at, end);
		if (version)
			return version;
		at++;
	}
	return 0;
}

uint32_t version_in_path(const char *path)
{
	const char *name = strrchr(path, '/');
	const char *at = strstr(name ? name : path, "python3.");
	unsigned minor;

	if (!at)
		return 0;
	at += strlen("python3.");
	if (!parse_number(at, at + strlen(at), &minor))
		return 0;
	return 0x030000u | minor << 8;
}

/* The text of Py_GetVersion() lies in libpython's bss, which follows its file
 * mappings; the interpreter fills it when it starts. */
static uint32_t version_in_memory(const struct memory *memory,
				  const struct module *python)
{
	uint64_t low = python->text[python->texts - 1].high;
	owned_mem char *bytes = malloc(VERSION_SCAN);
	size_t size;

	if (!bytes)
		return 0;
	size = memory_read_some(memory, low, bytes, VERSION_SCAN);
	return version_in_text(bytes, size);
}

uint32_t version_read_at(const struct memory *memory,
			 const struct module *python, uint64_t address)
{
	uint32_t hex, version;

	if (address && memory_read(memory, address, &hex, sizeof(hex)) &&
	    hex >> 24 == 3)
		return hex >> 8;
	if (!python->texts)
		return version_in_path(python->path);
	version = version_in_memory(memory, python);
	return version ? version : version_in_path(python->path);
}

uint32_t version_read(const struct memory *memory, const struct module *python)
{
	return version_read_at(memory, python,
			       module_symbol(python, "Py_Version"));
}
