/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "injector/owned.h"
#include "injector/stack/elf_names.h"
#include "injector/stack/runtime.h"
#include "injector/target/version.h"

#define SCAN_MAX (64u << 20) /* data and bss of one module */
#define SYMBOL "_PyRuntime"
#define SECTION ".PyRuntime"

static const char cookie[] = "xdebugpy"; /* _Py_DebugOffsets, 3.13+ */

struct search {
	struct runtime *runtime;
	struct remote *remote;
	const struct modules *modules;
	const struct maps *maps;
	const struct module *module; /* looked at */
	uint32_t version;
	bool free_threaded;
	uint32_t refused; /* version of an interpreter without a table */
};

static bool accept(struct search *search, uint64_t address, const char *found)
{
	if (!runtime_accept(search->runtime, search->remote, address,
			    search->version, search->free_threaded))
		return false;
	search->runtime->found_by = found;
	search->runtime->module = search->module;
	return true;
}

/* Takes up a module and tells which version it would be. */
static void consider(struct search *search, const struct module *module)
{
	const struct remote *remote = search->remote;
	struct memory memory = { .pid = remote->pid,
				 .source = remote->source,
				 .arg = remote->arg };

	search->module = module;
	search->version = version_read(&memory, module);
	search->free_threaded = module->traits & MODULE_FREE_THREADED;
	if (search->version && !version_supported(search->version))
		search->refused = search->version;
}

static bool by_dynamic_symbol(struct search *search)
{
	for (size_t i = 0; i < search->modules->count; i++) {
		const struct module *module = &search->modules->list[i];
		uint64_t address = module_symbol(module, SYMBOL);

		if (!address)
			continue;
		consider(search, module);
		if (accept(search, address, "symbol"))
			return true;
	}
	return false;
}

/* What was linked statically, or stripped. */
static bool by_file(struct search *search)
{
	for (size_t i = 0; i < search->modules->count; i++) {
		const struct module *module = &search->modules->list[i];
		const struct mapping *mapping =
			maps_find(search->maps, module->low);
		uint64_t address;
		owned_fd fd = -1;
		bool symbol;

		if (!module->loaded || !mapping)
			continue;
		fd = module_open(search->remote->pid, mapping);
		if (fd < 0)
			continue;
		address = elf_locate(fd, SYMBOL, SECTION, &symbol);
		if (!address)
			continue;
		consider(search, module);
		if (accept(search, address + module->bias,
			   symbol ? "symbol" : "section"))
			return true;
	}
	return false;
}

/* ---- scanning
 * ------------------------------------------------------------------ */

static bool writable(const struct search *search, uint64_t address)
{
	const struct mapping *mapping;

	if (!remote_plausible(address))
		return false;
	mapping = maps_find(search->maps, address);
	return mapping && mapping->rights & MAPPING_WRITE;
}

/* Could this word be interpreters.head? The main interpreter's address
 * follows it, and its first thread state points back. */
static bool is_head(const struct search *search,
		    const struct python_offsets *offsets, const uint64_t *word)
{
	uint64_t state;

	if (!writable(search, word[0]) || !writable(search, word[1]))
		return false;
	state = remote_pointer(search->remote,
			       word[0] + (uint64_t)offsets->is_tstate_head);
	return writable(search, state) &&
	       remote_pointer(search->remote,
			      state + (uint64_t)offsets->ts_interp) == word[0];
}

static bool scan_words(struct search *search, uint64_t low,
		       const uint64_t *words, size_t count)
{
	const struct python_offsets *offsets =
		offsets_find(search->version, search->free_threaded);

	for (size_t i = 0; i + 1 < count; i++) {
		uint64_t at = low + i * sizeof(words[0]);

		if (!memcmp(&words[i], cookie, sizeof(words[0])) &&
		    accept(search, at, "scan"))
			return true;
		if (offsets && version_minor(search->version) < 13 &&
		    is_head(search, offsets, &words[i]) &&
		    accept(search, at - (uint64_t)offsets->rt_interp_head,
			   "scan"))
			return true;
	}
	return false;
}

static bool scan_mapping(struct search *search, const struct mapping *mapping)
{
	size_t size = mapping->high - mapping->low;
	owned_mem uint64_t *words = NULL;

	if (size > SCAN_MAX)
		return false;
	words = malloc(size);
	if (!words)
		return false;
	size = remote_read_some(search->remote, mapping->low, words, size);
	return scan_words(search, mapping->low, words, size / sizeof(words[0]));
}

/* The writable mappings of a module, and its bss, which follows them. */
static bool scan_module(struct search *search)
{
	const struct maps *maps = search->maps;
	uint64_t end = search->module->high;

	for (size_t i = 0; i < maps->count; i++) {
		const struct mapping *mapping = &maps->list[i];
		bool bss = mapping->low == end && !mapping->path[0];

		if (mapping->low < search->module->low)
			continue;
		if (mapping->low >= end && !bss)
			break;
		if (mapping->rights & MAPPING_WRITE &&
		    scan_mapping(search, mapping))
			return true;
		if (bss)
			end = mapping->high;
	}
	return false;
}

static bool by_scan(struct search *search)
{
	for (size_t i = 0; i < search->modules->count; i++) {
		const struct module *module = &search->modules->list[i];

		if (!(module->traits & (MODULE_EXECUTABLE | MODULE_PYTHON)) &&
		    !version_in_path(module->path))
			continue;
		consider(search, module);
		if (scan_module(search))
			return true;
	}
	return false;
}

/* Why what was found is no interpreter that we can read. */
static int refuse(struct search *search, struct error *err)
{
	const struct module *python =
		modules_with(search->modules, MODULE_PYTHON);

	if (!python) {
		error_set(err, ERROR_NOT_PYTHON,
			  "process %d has no Python interpreter",
			  search->remote->self);
		return error_remedy(err, "list the Python processes: nopdb ps");
	}
	if (!search->refused) {
		consider(search, python);
		if (search->version) {
			error_set(err, ERROR_SYSTEM,
				  "the interpreter's state makes no sense; it "
				  "begins, ends, or was overwritten");
			return error_remedy(err,
					    "try again, or look at its C "
					    "stacks: gdb -p %d",
					    search->remote->self);
		}
		error_set(err, ERROR_UNSUPPORTED,
			  "a Python whose version cannot be told");
	} else {
		error_set(err, ERROR_UNSUPPORTED, "Python %u.%u",
			  search->refused >> 16 & 0xff,
			  version_minor(search->refused));
	}
	return error_remedy(err, "supported are CPython 3.7 to 3.15");
}

int runtime_find(struct runtime *runtime, struct remote *remote,
		 const struct modules *modules, const struct maps *maps,
		 struct error *err)
{
	struct search search = { .runtime = runtime,
				 .remote = remote,
				 .modules = modules,
				 .maps = maps };

	memset(runtime, 0, sizeof(*runtime));
	if (by_dynamic_symbol(&search) || by_file(&search) || by_scan(&search))
		return 0;
	return refuse(&search, err);
}
