/* SPDX-License-Identifier: MIT */
#include "injector/stack/names.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "injector/owned.h"

#define DEBUG_FOLDER "/usr/lib/debug"

int names_init(struct names *names, pid_t pid, const struct modules *modules,
	       const struct maps *maps, struct error *err)
{
	size_t count = modules->count ? modules->count : 1;

	memset(names, 0, sizeof(*names));
	names->pid = pid;
	names->modules = modules;
	names->maps = maps;
	names->files = calloc(count, sizeof(*names->files));
	names->loaded = calloc(count, sizeof(*names->loaded));
	if (names->files && names->loaded)
		return 0;
	names_release(names);
	return error_set(err, ERROR_NO_MEMORY, "names of functions");
}

void names_release(struct names *names)
{
	if (!names)
		return;
	for (size_t i = 0; names->files && i < names->modules->count; i++)
		elf_names_release(&names->files[i]);
	free(names->files);
	free(names->loaded);
	memset(names, 0, sizeof(*names));
}

/* A file below the target's root (pid 0: ours), and never one outside of it,
 * whatever symlinks the target made; -1: not there. */
static int open_below_root(pid_t pid, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	owned_fd root = -1, fd = -1;
	struct stat file;
	char name[64];

	if (pid)
		snprintf(name, sizeof(name), "/proc/%d/root", pid);
	else
		snprintf(name, sizeof(name), "/");
	root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &file) || !S_ISREG(file.st_mode))
		return -1;
	return steal_fd(&fd);
}

/* The places where a debugger looks for a debug link. */
static void load_debug_file(struct names *names, const struct module *module,
			    struct elf_names *file)
{
	static const char *const formats[] = {
		"%.*s/%s",
		"%.*s/.debug/%s",
		DEBUG_FOLDER "%.*s/%s",
	};
	const char *end = strrchr(module->path, '/');
	char link[sizeof(file->debug_link)];
	char path[MODULE_PATH * 2 + 64];

	if (!file->debug_link[0] || !end)
		return;
	memcpy(link, file->debug_link, sizeof(link));
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		owned_fd fd = -1;

		snprintf(path, sizeof(path), formats[i],
			 (int)(end - module->path), module->path, link);
		fd = open_below_root(names->pid, path);
		if (fd >= 0 && elf_names_load_debug(fd, file))
			return;
	}
}

static void load(struct names *names, size_t index)
{
	const struct module *module = &names->modules->list[index];
	const struct mapping *mapping = maps_find(names->maps, module->low);
	struct elf_names *file = &names->files[index];
	owned_fd fd = -1;

	names->loaded[index] = true;
	if (!module->loaded || !mapping)
		return;
	fd = module_open(names->pid, mapping);
	if (fd < 0 || !elf_names_load(fd, file))
		return;
	if (!file->symtab)
		load_debug_file(names, module, file);
	elf_names_sort(file);
}

struct native_name names_at(struct names *names, uint64_t address, bool called)
{
	const struct module *module = modules_covering(names->modules, address);
	struct native_name found = { .module = module };
	const struct elf_name *name;
	uint64_t in_file;
	size_t index;

	if (!module)
		return found;
	index = (size_t)(module - names->modules->list);
	if (!names->loaded[index])
		load(names, index);
	in_file = address - module->bias;
	/* A call may be the last instruction of a function. */
	name = elf_names_at(&names->files[index],
			    called ? in_file - 1 : in_file);
	found.function = name ? name->name : NULL;
	found.offset = name ? in_file - name->address : in_file;
	return found;
}
