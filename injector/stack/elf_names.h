/* SPDX-License-Identifier: MIT */
/*
 * elf_names: the names that an ELF file and the file with its debug symbols
 * (.gnu_debuglink) give to its functions, and where a named object or section
 * of it lies. Addresses are the file's own, without bias. The file is hostile:
 * read, never mapped, and bounded.
 */
#ifndef NOPDB_INJECTOR_STACK_ELF_NAMES_H
#define NOPDB_INJECTOR_STACK_ELF_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_name {
	uint64_t address, size;
	const char *name;
};

struct elf_names {
	struct elf_name *list; /* functions with a size, by address */
	size_t count, room;
	char *text[4]; /* of the string tables that list points into */
	unsigned texts;
	bool symtab;	      /* the file has a full table */
	char debug_link[256]; /* file name; "" when there is none */
	uint8_t build_id[32];
	size_t build_id_size;
};

/* Reads the functions of an open file into names, which is zeroed. */
bool elf_names_load(int fd, struct elf_names *names);
/* Adds those of its debug file; false when it is another file's. */
bool elf_names_load_debug(int fd, struct elf_names *names);
/* Once all files are loaded. */
void elf_names_sort(struct elf_names *names);
void elf_names_release(struct elf_names *names);

/* The function that covers an address, never one that ends before it. */
const struct elf_name *elf_names_at(const struct elf_names *names,
				    uint64_t address);

/* The address of a symbol of any table, or of a section (NULL: not looked
 * for); 0: neither is there. *ret_symbol tells which. */
uint64_t elf_locate(int fd, const char *symbol, const char *section,
		    bool *ret_symbol);

#endif
