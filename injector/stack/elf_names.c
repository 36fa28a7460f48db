/* SPDX-License-Identifier: MIT */
#include "injector/stack/elf_names.h"

#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX (4u << 20)
#define TEXT_MAX (256u << 20)
#define ALIASES 8u

/* A symbol table and its names, which end with NUL. */
struct table {
	Elf_Data *symbols, *text;
};

static bool get_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
		      struct table *ret_table)
{
	Elf_Scn *names = elf_getscn(elf, header->sh_link);
	GElf_Shdr names_header;
	struct table table;

	if (header->sh_size / sizeof(Elf64_Sym) > SYMBOLS_MAX || !names ||
	    !gelf_getshdr(names, &names_header) ||
	    names_header.sh_type == SHT_NOBITS ||
	    names_header.sh_size > TEXT_MAX)
		return false;
	table.symbols = elf_getdata(section, NULL);
	table.text = elf_getdata(names, NULL);
	if (!table.symbols || !table.symbols->d_buf || !table.text ||
	    !table.text->d_buf || !table.text->d_size ||
	    ((const char *)table.text->d_buf)[table.text->d_size - 1])
		return false;
	*ret_table = table;
	return true;
}

static size_t table_count(const struct table *table)
{
	return table->symbols->d_size / sizeof(Elf64_Sym);
}

static bool table_symbol(const struct table *table, size_t index,
			 GElf_Sym *ret_symbol)
{
	return gelf_getsym(table->symbols, (int)index, ret_symbol) &&
	       ret_symbol->st_shndx != SHN_UNDEF && ret_symbol->st_value &&
	       ret_symbol->st_name < table->text->d_size;
}

static bool reserve(struct elf_names *names, size_t more)
{
	struct elf_name *list;

	if (names->room - names->count >= more)
		return true;
	list = reallocarray(names->list, names->count + more, sizeof(*list));
	if (!list)
		return false;
	names->list = list;
	names->room = names->count + more;
	return true;
}

static void add_functions(struct elf_names *names, const struct table *table)
{
	size_t count = table_count(table);
	GElf_Sym symbol;
	char *text;

	if (names->texts == sizeof(names->text) / sizeof(names->text[0]) ||
	    !reserve(names, count))
		return;
	text = malloc(table->text->d_size);
	if (!text)
		return;
	memcpy(text, table->text->d_buf, table->text->d_size);
	names->text[names->texts++] = text;
	for (size_t i = 0; i < count; i++) {
		int type;

		if (!table_symbol(table, i, &symbol) || !symbol.st_size)
			continue;
		type = GELF_ST_TYPE(symbol.st_info);
		if (type != STT_FUNC && type != STT_GNU_IFUNC)
			continue;
		names->list[names->count++] =
			(struct elf_name){ symbol.st_value, symbol.st_size,
					   text + symbol.st_name };
	}
}

/* .gnu_debuglink: a file name, ended with NUL, then its checksum. */
static void note_debug_link(Elf_Scn *section, struct elf_names *names)
{
	const Elf_Data *data = elf_getdata(section, NULL);
	const char *text = data ? data->d_buf : NULL;

	if (text && data->d_size < sizeof(names->debug_link) &&
	    memchr(text, '\0', data->d_size) && !strchr(text, '/'))
		memcpy(names->debug_link, text, strlen(text) + 1);
}

/* .note.gnu.build-id: a header of three words, "GNU", then the id. */
static void note_build_id(Elf_Scn *section, struct elf_names *names)
{
	const Elf_Data *data = elf_getdata(section, NULL);
	const uint8_t *bytes = data ? data->d_buf : NULL;

	if (!bytes || data->d_size <= 16 ||
	    data->d_size - 16 > sizeof(names->build_id))
		return;
	names->build_id_size = data->d_size - 16;
	memcpy(names->build_id, bytes + 16, names->build_id_size);
}

static void note_section(Elf_Scn *section, const char *name,
			 struct elf_names *names)
{
	if (!name)
		return;
	if (!strcmp(name, ".gnu_debuglink"))
		note_debug_link(section, names);
	else if (!strcmp(name, ".note.gnu.build-id"))
		note_build_id(section, names);
}

/* A file with .symtab has all that .dynsym has. */
static bool load_tables(Elf *elf, struct elf_names *names,
			struct table *ret_table)
{
	struct table table = { 0 }, found;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			continue;
		note_section(section, elf_strptr(elf, strings, header.sh_name),
			     names);
		if ((header.sh_type == SHT_SYMTAB ||
		     (header.sh_type == SHT_DYNSYM && !table.symbols)) &&
		    get_table(elf, section, &header, &found)) {
			table = found;
			names->symtab |= header.sh_type == SHT_SYMTAB;
		}
	}
	*ret_table = table;
	return true;
}

bool elf_names_load(int fd, struct elf_names *names)
{
	struct table table;
	bool loaded;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return false;
	loaded = gelf_getclass(elf) == ELFCLASS64 &&
		 load_tables(elf, names, &table);
	if (loaded && table.symbols)
		add_functions(names, &table);
	elf_end(elf);
	return loaded;
}

bool elf_names_load_debug(int fd, struct elf_names *names)
{
	struct elf_names other = { 0 };
	struct table table;
	bool same = false;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return false;
	if (gelf_getclass(elf) == ELFCLASS64 &&
	    load_tables(elf, &other, &table) && table.symbols)
		same = names->build_id_size &&
		       other.build_id_size == names->build_id_size &&
		       !memcmp(other.build_id, names->build_id,
			       names->build_id_size);
	if (same)
		add_functions(names, &table);
	elf_end(elf);
	return same;
}

static int compare(const void *left, const void *right)
{
	const struct elf_name *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->size < b->size ? -1 : a->size > b->size;
}

void elf_names_sort(struct elf_names *names)
{
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), compare);
}

void elf_names_release(struct elf_names *names)
{
	if (!names)
		return;
	for (unsigned i = 0; i < names->texts; i++)
		free(names->text[i]);
	free(names->list);
	memset(names, 0, sizeof(*names));
}

const struct elf_name *elf_names_at(const struct elf_names *names,
				    uint64_t address)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->list[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0 && low - i < ALIASES; i--) {
		const struct elf_name *name = &names->list[i - 1];

		if (address - name->address < name->size)
			return name;
	}
	return NULL;
}

static uint64_t find_symbol(const struct table *table, const char *name)
{
	size_t count = table_count(table);
	GElf_Sym symbol;

	for (size_t i = 0; i < count; i++)
		if (table_symbol(table, i, &symbol) &&
		    !strcmp((const char *)table->text->d_buf + symbol.st_name,
			    name))
			return symbol.st_value;
	return 0;
}

static uint64_t locate(Elf *elf, const char *symbol, const char *wanted,
		       bool *ret_symbol)
{
	uint64_t address, of_section = 0;
	Elf_Scn *section = NULL;
	struct table table;
	GElf_Shdr header;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings))
		return 0;
	while ((section = elf_nextscn(elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, strings, header.sh_name);
		if (name && wanted && !strcmp(name, wanted))
			of_section = header.sh_addr;
		if ((header.sh_type != SHT_SYMTAB &&
		     header.sh_type != SHT_DYNSYM) ||
		    !get_table(elf, section, &header, &table))
			continue;
		address = find_symbol(&table, symbol);
		if (address) {
			*ret_symbol = true;
			return address;
		}
	}
	*ret_symbol = false;
	return of_section;
}

uint64_t elf_locate(int fd, const char *symbol, const char *section,
		    bool *ret_symbol)
{
	uint64_t address = 0;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return 0;
	if (gelf_getclass(elf) == ELFCLASS64)
		address = locate(elf, symbol, section, ret_symbol);
	elf_end(elf);
	return address;
}
