/* SPDX-License-Identifier: MIT */
/*
 * modules: the ELF files mapped in a target, each with the traits that decide
 * whether a thread inside it may be hijacked. A snapshot of one moment.
 */
#ifndef NOPDB_INJECTOR_MODULES_H
#define NOPDB_INJECTOR_MODULES_H

#include "injector/target/elf_image.h"
#include "injector/target/maps.h"

#define MODULE_TEXTS 8u
#define MODULE_PATH 256u

enum module_trait {
	MODULE_LD = 1 << 0,	 /* the dynamic linker */
	MODULE_MALLOC = 1 << 1,	 /* exports malloc */
	MODULE_PTHREAD = 1 << 2, /* exports pthread_create */
	MODULE_LIBC = 1 << 3,	 /* the C library, or its libpthread */
	MODULE_GLIBC = 1 << 4,
	MODULE_PYTHON = 1 << 5,	       /* exports the C-API */
	MODULE_FREE_THREADED = 1 << 6, /* ... of a build without GIL */
	MODULE_EXECUTABLE = 1 << 7,    /* /proc/PID/exe */
	MODULE_VDSO = 1 << 8,
};

struct module_text {
	uint64_t low, high;
};

struct module {
	uint64_t low, high;
	uint64_t bias; /* address in the target - in the file */
	uint64_t inode;
	unsigned device_major, device_minor;
	unsigned traits; /* enum module_trait */
	unsigned texts;
	struct module_text text[MODULE_TEXTS];
	char path[MODULE_PATH];
	bool loaded; /* image is valid */
	struct elf_image image;
};

struct modules {
	struct module *list;
	size_t count;
};

/* Reads the modules of a process. A file that cannot be read (no ELF,
 * replaced on disk and we may not use map_files) stays without symbols.
 * Fails as maps_read, or with NO_MEMORY. */
int modules_read(pid_t pid, struct modules *ret_modules,
		 struct error *err) NOPDB_CHECKED;

/* The same from mappings at hand; pid 0: of a process that is no more, whose
 * files lie where the mappings' paths lead. */
int modules_load(pid_t pid, const struct maps *maps,
		 struct modules *ret_modules, struct error *err) NOPDB_CHECKED;

/* Groups mappings into modules, without reading any file. */
int modules_group(const struct maps *maps, struct modules *ret_modules,
		  struct error *err) NOPDB_CHECKED;

void modules_release(struct modules *modules);

/* The module whose mappings of a file hold an address, or NULL. */
struct module *modules_covering(const struct modules *modules,
				uint64_t address);

/* The module whose text holds an address, or NULL. */
struct module *modules_at(const struct modules *modules, uint64_t address);

/* The first module with all these traits, or NULL. */
struct module *modules_with(const struct modules *modules, unsigned traits);

/* Is there a file among them that could not be read? */
bool modules_unread(const struct modules *modules);

/* The target's address of a name in a module; 0: absent. */
uint64_t module_symbol(const struct module *module, const char *name);

/* Opens the file behind one mapping; -1 with errno. ESTALE: the path leads
 * to another file by now. pid 0: the path is one of ours. */
int module_open(pid_t pid, const struct mapping *mapping);

#endif
