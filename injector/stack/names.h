/* SPDX-License-Identifier: MIT */
/*
 * names: names of native functions in a target, from .symtab, .dynsym and the
 * files that .gnu_debuglink names, each file read when it is first met. A name
 * is only given to what lies inside that function.
 */
#ifndef NOPDB_INJECTOR_STACK_NAMES_H
#define NOPDB_INJECTOR_STACK_NAMES_H

#include "injector/stack/elf_names.h"
#include "injector/target/maps.h"
#include "injector/target/modules.h"

struct names {
	pid_t pid;
	const struct modules *modules;
	const struct maps *maps;
	struct elf_names *files; /* one for each module */
	bool *loaded;
};

struct native_name {
	const struct module *module; /* NULL: in no file */
	const char *function;	     /* NULL: unknown; the names' own */
	uint64_t offset;	     /* in the function, else in the file */
};

int names_init(struct names *names, pid_t pid, const struct modules *modules,
	       const struct maps *maps, struct error *err) NOPDB_CHECKED;
void names_release(struct names *names);

/* called: the address is where a call will return to, one past it. */
struct native_name names_at(struct names *names, uint64_t address, bool called);

#endif
