/* SPDX-License-Identifier: MIT */
/*
 * elf_image: what the injector needs of one ELF file: its dynamic symbols and
 * where its unwind tables lie. Addresses are the file's own (without bias).
 *
 * The file belongs to the target and is hostile: it is read with pread, never
 * mapped (a file cut short would end us with SIGBUS), and every count is
 * bounded.
 */
#ifndef NOPDB_INJECTOR_ELF_IMAGE_H
#define NOPDB_INJECTOR_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_symbol {
	uint64_t address;
	uint64_t size;
	const char *name;
	bool function;
};

struct elf_image {
	uint16_t machine;
	uint64_t entry;
	bool linked;	       /* it names a dynamic linker (PT_INTERP) */
	uint64_t low;	       /* lowest PT_LOAD, page aligned */
	uint64_t eh_frame_hdr; /* 0: none */
	uint64_t eh_frame_hdr_end;
	uint64_t eh_frame, eh_frame_end;
	struct elf_symbol *symbols; /* defined ones, by name */
	size_t count;
	struct elf_symbol **by_address; /* NULL until indexed */
	char *names;
};

/* Reads an open file; false when it is no ELF file of 64 bits. */
bool elf_image_load(int fd, struct elf_image *ret_image);
void elf_image_release(struct elf_image *image);

/* The symbol of this name, or NULL. */
const struct elf_symbol *elf_image_find(const struct elf_image *image,
					const char *name);

/* Prepares elf_image_at; false: out of memory. */
bool elf_image_index(struct elf_image *image);

/* Position in by_address of the function that covers an address, or -1. */
ptrdiff_t elf_image_at(const struct elf_image *image, uint64_t address);

/* A few names looked up in a file, without loading all of it. */
#define ELF_PROBE_NAMES 8

struct elf_probe {
	uint16_t machine;
	uint64_t low;
	unsigned found; /* bit per name */
	uint64_t address[ELF_PROBE_NAMES];
};

/* At most ELF_PROBE_NAMES names; false when it is no ELF file of 64 bits. */
bool elf_probe(int fd, const char *const *names, unsigned count,
	       struct elf_probe *ret_probe);

#endif
