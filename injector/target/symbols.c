/* SPDX-License-Identifier: MIT */
#include "injector/target/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "injector/owned.h"
#include "injector/target/version.h"

/* libc's text is 1.5 MB. */
#define GADGET_SCAN (4u << 20)

enum symbol_source { SOURCE_LIBC, SOURCE_FUNCTION, SOURCE_OBJECT };

struct symbol_row {
	const char *name;
	unsigned char first, last;
	enum symbol_source source;
};

#define LIBC_ROW(name, ...) ROW(#name, __VA_ARGS__, SOURCE_LIBC)
#define FUNCTION_ROW(name, ...) ROW(#name, __VA_ARGS__, SOURCE_FUNCTION)
#define OBJECT_ROW(name, ...) ROW(#name, __VA_ARGS__, SOURCE_OBJECT)
#define ROW(...) ROW_OF(__VA_ARGS__)
#define ROW_OF(name, first, last, source) { name, first, last, source },

static const struct symbol_row rows[SYM_COUNT] = {
	NOPDB_LIBC_SYMBOLS(LIBC_ROW) NOPDB_PYTHON_FUNCTIONS(FUNCTION_ROW)
		NOPDB_PYTHON_OBJECTS(OBJECT_ROW)
};

const char *symbol_name(enum boot_symbol symbol)
{
	return (unsigned)symbol < SYM_COUNT ? rows[symbol].name : "";
}

bool symbol_required(enum boot_symbol symbol, unsigned minor)
{
	const struct symbol_row *row = &rows[symbol];

	return row->last != 0 && minor >= row->first && minor <= row->last;
}

/* The C library first: a sanitizer or an allocator may wrap these names. */
static uint64_t libc_symbol(const struct modules *modules, const char *name)
{
	static const unsigned order[] = { MODULE_LIBC, MODULE_LD, 0 };
	uint64_t address;

	for (unsigned pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < modules->count; i++) {
			const struct module *module = &modules->list[i];

			if ((module->traits & order[pass]) != order[pass])
				continue;
			address = module_symbol(module, name);
			if (address)
				return address;
		}
	}
	return 0;
}

/* An executable that embeds Python without PIC holds copies of its objects
 * (R_X86_64_COPY); those are the ones in use. */
static uint64_t python_symbol(const struct modules *modules,
			      const struct module *python,
			      const struct symbol_row *row)
{
	const struct module *program;
	uint64_t address = 0;

	if (row->source == SOURCE_OBJECT) {
		program = modules_with(modules, MODULE_EXECUTABLE);
		address = module_symbol(program, row->name);
	}
	return address ? address : module_symbol(python, row->name);
}

/* glibc before 2.34 has dlopen in libdl, which may be absent; its internal
 * form is in libc itself. */
static uint64_t loader_symbol(const struct modules *modules, const char *name,
			      const char *internal)
{
	uint64_t address = libc_symbol(modules, name);

	return address ? address : libc_symbol(modules, internal);
}

static int resolve_libc(const struct modules *modules, struct boot_libc *libc,
			struct error *err)
{
	const struct {
		uint64_t *to;
		const char *name, *internal;
	} wanted[] = {
		{ &libc->errno_location, "__errno_location", "" },
		{ &libc->pthread_create, "pthread_create", "" },
		{ &libc->pthread_join, "pthread_join", "" },
		{ &libc->attr_init, "pthread_attr_init", "" },
		{ &libc->attr_setstacksize, "pthread_attr_setstacksize", "" },
		{ &libc->attr_setdetachstate, "pthread_attr_setdetachstate",
		  "" },
		{ &libc->dlopen, "dlopen", "__libc_dlopen_mode" },
		{ &libc->dlsym, "dlsym", "__libc_dlsym" },
		{ &libc->dlclose, "dlclose", "__libc_dlclose" },
		{ &libc->munmap, "munmap", "" },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		*wanted[i].to = loader_symbol(modules, wanted[i].name,
					      wanted[i].internal);
		if (!*wanted[i].to)
			return error_set(err, ERROR_UNSUPPORTED,
					 "the target has no %s",
					 wanted[i].name);
	}
	libc->dlerror = libc_symbol(modules, "dlerror");
	return 0;
}

static int find_gadgets(const struct modules *modules,
			const struct memory *memory, struct gadgets *gadgets,
			struct error *err)
{
	owned_mem uint8_t *text = malloc(GADGET_SCAN);
	size_t seen = 0;

	if (!text)
		return error_set(err, ERROR_NO_MEMORY, "text of libc");
	errno = ESRCH;
	for (size_t i = 0; i < modules->count; i++) {
		const struct module *module = &modules->list[i];

		if (!(module->traits & MODULE_LIBC))
			continue;
		for (unsigned k = 0; k < module->texts; k++) {
			uint64_t low = module->text[k].low;
			uint64_t size = module->text[k].high - low;

			size = memory_read_some(
				memory, low, text,
				size < GADGET_SCAN ? size : GADGET_SCAN);
			seen += size;
			if (arch.find_gadgets(text, size, low, gadgets))
				return 0;
		}
	}
	if (!seen && errno != ESRCH)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "reading the code of its C library");
	if (!seen)
		return error_set(err, ERROR_NO_PROCESS,
				 "its memory is gone: the process has ended");
	return error_set(err, ERROR_UNSUPPORTED,
			 "the C library lacks the code to enter by");
}

int symbols_resolve(const struct modules *modules, const struct module *python,
		    const struct memory *memory, uint32_t version,
		    struct symbols *ret_symbols, struct error *err)
{
	struct symbols symbols = { 0 };

	if (resolve_libc(modules, &symbols.libc, err) ||
	    find_gadgets(modules, memory, &symbols.gadgets, err))
		return -1;
	symbols.table.version = NOPDB_AGENT_ABI;
	symbols.table.count = SYM_COUNT;
	for (unsigned i = 0; i < SYM_COUNT; i++) {
		uint64_t address =
			rows[i].source == SOURCE_LIBC
				? libc_symbol(modules, rows[i].name)
				: python_symbol(modules, python, &rows[i]);

		if (!address && symbol_required(i, version_minor(version)))
			return error_set(err, ERROR_UNSUPPORTED,
					 "Python 3.%u without %s",
					 version_minor(version), rows[i].name);
		symbols.table.address[i] = address;
	}
	*ret_symbols = symbols;
	return 0;
}
