/* SPDX-License-Identifier: MIT */
/*
 * fake_runtime: no interpreter, but it exports what a CPython 3.13 exports, and
 * its _PyRuntime is whatever the first argument says:
 *
 *   zeros, ones    nothing but that
 *   itself         every word points to the runtime
 *   circle         every word points to the next
 *   random         noise
 *   wild           addresses of nothing, and of the kernel's
 *
 * Functions do nothing and answer NULL.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/symbols.h"

#define WORDS 65536

#define Py_IsInitialized spare_is_initialized
#define Py_Version spare_version
#define _PyRuntime spare_runtime
#define FUNCTION(name, ...) \
	long name(void);    \
	long name(void)     \
	{                   \
		return 0;   \
	}
#define OBJECT(name, ...) void *name[4];
NOPDB_PYTHON_FUNCTIONS(FUNCTION)
NOPDB_PYTHON_OBJECTS(OBJECT)
#undef Py_IsInitialized
#undef Py_Version
#undef _PyRuntime

extern const unsigned long Py_Version;
const unsigned long Py_Version = 0x030d00f0;
extern uint64_t _PyRuntime[WORDS];
uint64_t _PyRuntime[WORDS];
long Py_IsInitialized(void);

long Py_IsInitialized(void)
{
	return 1;
}

static uint64_t word(const char *how, size_t at)
{
	if (!strcmp(how, "ones"))
		return UINT64_MAX;
	if (!strcmp(how, "itself"))
		return (uint64_t)(uintptr_t)_PyRuntime;
	if (!strcmp(how, "circle"))
		return (uint64_t)(uintptr_t)&_PyRuntime[(at + 1) % WORDS];
	if (!strcmp(how, "random"))
		return (uint64_t)random() << 33 ^ (uint64_t)random();
	if (!strcmp(how, "wild"))
		return at % 2 ? 0xffffffff81000000 + at : at * 4096 + 8;
	return 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "zeros";

	for (size_t i = 0; i < WORDS; i++)
		_PyRuntime[i] = word(how, i);
	/* As 3.13 begins, so that what follows is believed. */
	if (argc > 2)
		memcpy(_PyRuntime, "xdebugpy", 8);
	printf("{\"ready\": %d}\n", getpid());
	fflush(stdout);
	for (;;)
		poll(NULL, 0, 1000);
}
