/* SPDX-License-Identifier: MIT */
#include "injector/target/elf_image.h"

#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "injector/target/memory.h"

#define ELF_SYMBOLS_MAX (4u << 20)
#define ELF_NAMES_MAX (256u << 20)

static int compare_name(const void *left, const void *right)
{
	const struct elf_symbol *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static int compare_address(const void *left, const void *right)
{
	const struct elf_symbol *a = *(struct elf_symbol *const *)left;
	const struct elf_symbol *b = *(struct elf_symbol *const *)right;

	return a->address < b->address ? -1 : a->address > b->address;
}

static bool load_header(Elf *elf, struct elf_image *image)
{
	GElf_Ehdr header;
	GElf_Phdr segment;
	size_t count = 0;
	bool loads = false;

	if (gelf_getclass(elf) != ELFCLASS64 || !gelf_getehdr(elf, &header) ||
	    elf_getphdrnum(elf, &count))
		return false;
	image->machine = header.e_machine;
	image->entry = header.e_entry;
	for (size_t i = 0; i < count; i++) {
		uint64_t page;

		if (!gelf_getphdr(elf, (int)i, &segment))
			return false;
		page = segment.p_vaddr & ~(uint64_t)(MEMORY_PAGE - 1);
		if (segment.p_type == PT_LOAD &&
		    (!loads || page < image->low)) {
			image->low = page;
			loads = true;
		}
		image->linked |= segment.p_type == PT_INTERP;
		if (segment.p_type == PT_GNU_EH_FRAME) {
			image->eh_frame_hdr = segment.p_vaddr;
			image->eh_frame_hdr_end =
				segment.p_vaddr + segment.p_memsz;
		}
	}
	return loads;
}

/* Finds the dynamic symbols, and notes where .eh_frame lies. */
static Elf_Scn *find_sections(Elf *elf, struct elf_image *image,
			      GElf_Shdr *ret_dynsym)
{
	Elf_Scn *section = NULL, *dynsym = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type == SHT_DYNSYM && !dynsym) {
			dynsym = section;
			*ret_dynsym = header;
			continue;
		}
		if (!image)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && !strcmp(name, ".eh_frame")) {
			image->eh_frame = header.sh_addr;
			image->eh_frame_end = header.sh_addr + header.sh_size;
		}
	}
	return dynsym;
}

/* The raw data of the dynamic symbols and of their names. The names end with
 * NUL, so every offset inside is a string. */
static bool symbol_tables(Elf *elf, struct elf_image *image,
			  Elf_Data **ret_symbols, Elf_Data **ret_names)
{
	GElf_Shdr header, names_header;
	Elf_Scn *section = find_sections(elf, image, &header), *names;
	Elf_Data *symbols, *text;

	if (!section || header.sh_size / sizeof(Elf64_Sym) > ELF_SYMBOLS_MAX)
		return false;
	names = elf_getscn(elf, header.sh_link);
	if (!names || !gelf_getshdr(names, &names_header) ||
	    names_header.sh_size > ELF_NAMES_MAX)
		return false;
	symbols = elf_getdata(section, NULL);
	text = elf_getdata(names, NULL);
	if (!symbols || !text || !text->d_buf || text->d_size == 0 ||
	    ((const char *)text->d_buf)[text->d_size - 1] != '\0')
		return false;
	*ret_symbols = symbols;
	*ret_names = text;
	return true;
}

/* The address of an indirect function is its resolver: not to be called. */
static bool usable(const GElf_Sym *symbol, size_t names)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_name < names &&
	       GELF_ST_BIND(symbol->st_info) != STB_LOCAL &&
	       (type == STT_FUNC || type == STT_OBJECT ||
		type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static bool load_symbols(Elf *elf, struct elf_image *image)
{
	Elf_Data *symbols, *names;
	GElf_Sym symbol;
	size_t count;

	/* A file without dynamic symbols is fine: it just offers nothing. */
	if (!symbol_tables(elf, image, &symbols, &names))
		return true;
	count = symbols->d_size / sizeof(Elf64_Sym);
	image->names = malloc(names->d_size);
	image->symbols = calloc(count ? count : 1, sizeof(*image->symbols));
	if (!image->names || !image->symbols)
		return false;
	memcpy(image->names, names->d_buf, names->d_size);
	for (size_t i = 0; i < count; i++) {
		struct elf_symbol *to = &image->symbols[image->count];

		if (!gelf_getsym(symbols, (int)i, &symbol) ||
		    !usable(&symbol, names->d_size))
			continue;
		to->address = symbol.st_value;
		to->size = symbol.st_size;
		to->name = image->names + symbol.st_name;
		to->function = GELF_ST_TYPE(symbol.st_info) == STT_FUNC;
		image->count++;
	}
	qsort(image->symbols, image->count, sizeof(*image->symbols),
	      compare_name);
	return true;
}

bool elf_image_load(int fd, struct elf_image *ret_image)
{
	struct elf_image image = { 0 };
	bool loaded;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return false;
	loaded = load_header(elf, &image) && load_symbols(elf, &image);
	elf_end(elf);
	if (!loaded) {
		elf_image_release(&image);
		return false;
	}
	*ret_image = image;
	return true;
}

void elf_image_release(struct elf_image *image)
{
	if (!image)
		return;
	free(image->by_address);
	free(image->symbols);
	free(image->names);
	memset(image, 0, sizeof(*image));
}

const struct elf_symbol *elf_image_find(const struct elf_image *image,
					const char *name)
{
	struct elf_symbol key = { .name = name };

	if (!image->count)
		return NULL;
	return bsearch(&key, image->symbols, image->count,
		       sizeof(*image->symbols), compare_name);
}

bool elf_image_index(struct elf_image *image)
{
	if (image->by_address)
		return true;
	image->by_address = calloc(image->count ? image->count : 1,
				   sizeof(*image->by_address));
	if (!image->by_address)
		return false;
	for (size_t i = 0; i < image->count; i++)
		image->by_address[i] = &image->symbols[i];
	qsort(image->by_address, image->count, sizeof(*image->by_address),
	      compare_address);
	return true;
}

ptrdiff_t elf_image_at(const struct elf_image *image, uint64_t address)
{
	size_t low = 0, high = image->by_address ? image->count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->by_address[middle]->address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Aliases share an address, and a zero-sized label may follow. */
	for (size_t i = low; i > 0 && low - i < 8; i--) {
		const struct elf_symbol *symbol = image->by_address[i - 1];

		if (symbol->size && address - symbol->address < symbol->size)
			return (ptrdiff_t)(i - 1);
	}
	return -1;
}

static void probe_symbols(const Elf_Data *symbols, const Elf_Data *text,
			  const char *const *names, unsigned count,
			  struct elf_probe *probe)
{
	size_t total = symbols->d_size / sizeof(Elf64_Sym);
	GElf_Sym symbol;

	for (size_t i = 0; i < total; i++) {
		const char *name;

		if (!gelf_getsym((Elf_Data *)(uintptr_t)symbols, (int)i,
				 &symbol) ||
		    !usable(&symbol, text->d_size))
			continue;
		name = (const char *)text->d_buf + symbol.st_name;
		for (unsigned k = 0; k < count; k++) {
			if (strcmp(name, names[k]) != 0)
				continue;
			probe->found |= 1u << k;
			probe->address[k] = symbol.st_value;
		}
	}
}

bool elf_probe(int fd, const char *const *names, unsigned count,
	       struct elf_probe *ret_probe)
{
	struct elf_probe probe = { 0 };
	struct elf_image image = { 0 };
	Elf_Data *symbols, *text;
	bool loaded;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return false;
	loaded = load_header(elf, &image);
	if (loaded && symbol_tables(elf, NULL, &symbols, &text))
		probe_symbols(symbols, text, names, count, &probe);
	elf_end(elf);
	probe.machine = image.machine;
	probe.low = image.low;
	if (loaded)
		*ret_probe = probe;
	return loaded;
}
