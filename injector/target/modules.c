/* SPDX-License-Identifier: MIT */
#include "injector/target/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "injector/owned.h"

/* Some file systems report another device in maps than in stat. */
static bool device_is_virtual(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == BTRFS_SUPER_MAGIC ||
					 fs.f_type == OVERLAYFS_SUPER_MAGIC);
}

static bool same_file(int fd, const struct mapping *mapping)
{
	struct stat file;

	if (fstat(fd, &file) || !S_ISREG(file.st_mode) ||
	    file.st_ino != mapping->inode)
		return false;
	return (major(file.st_dev) == mapping->device_major &&
		minor(file.st_dev) == mapping->device_minor) ||
	       device_is_virtual(fd);
}

/* map_files gives the very file that is mapped, also when it was replaced or
 * lies in another mount namespace, but needs CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE. The path is looked up in the target's root; a
 * symlink in it could lead out into ours, so the file's identity decides. */
int module_open(pid_t pid, const struct mapping *mapping)
{
	char path[MODULE_PATH + 64], root[32] = "";
	owned_fd fd = -1;

	if (pid) {
		snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", pid,
			 (unsigned long)mapping->low,
			 (unsigned long)mapping->high);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0)
			return steal_fd(&fd);
		snprintf(root, sizeof(root), "/proc/%d/root", pid);
	}
	if (strlen(mapping->path) >= MODULE_PATH) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(path, sizeof(path), "%s%s", root, mapping->path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (!same_file(fd, mapping)) {
		errno = ESTALE;
		return -1;
	}
	return steal_fd(&fd);
}

/* A second copy of a file begins where its offsets start over. */
static bool continues(const struct module *module, const struct mapping *next)
{
	return module->inode == next->inode &&
	       module->device_major == next->device_major &&
	       module->device_minor == next->device_minor &&
	       (next->offset != 0 || module->texts == 0) &&
	       !(module->traits & MODULE_VDSO);
}

static void add_text(struct module *module, const struct mapping *mapping)
{
	if (!(mapping->rights & MAPPING_EXEC) || module->texts == MODULE_TEXTS)
		return;
	module->text[module->texts].low = mapping->low;
	module->text[module->texts].high = mapping->high;
	module->texts++;
}

static void start_module(struct module *module, const struct mapping *mapping,
			 bool vdso)
{
	memset(module, 0, sizeof(*module));
	module->low = mapping->low;
	module->inode = mapping->inode;
	module->device_major = mapping->device_major;
	module->device_minor = mapping->device_minor;
	module->traits = vdso ? MODULE_VDSO : 0;
	snprintf(module->path, sizeof(module->path), "%s", mapping->path);
}

int modules_group(const struct maps *maps, struct modules *ret_modules,
		  struct error *err)
{
	struct modules modules = { 0 };
	struct module *current = NULL;

	modules.list =
		calloc(maps->count ? maps->count : 1, sizeof(*modules.list));
	if (!modules.list)
		return error_set(err, ERROR_NO_MEMORY, "list of modules");
	for (size_t i = 0; i < maps->count; i++) {
		const struct mapping *mapping = &maps->list[i];
		bool vdso = !strcmp(mapping->path, "[vdso]");

		if (mapping->path[0] != '/' && !vdso)
			continue;
		if (!current || !continues(current, mapping)) {
			/* What has no text so far is a data file. */
			if (!current || current->texts)
				current = &modules.list[modules.count++];
			start_module(current, mapping, vdso);
		}
		current->high = mapping->high;
		add_text(current, mapping);
	}
	if (current && !current->texts)
		modules.count--;
	*ret_modules = modules;
	return 0;
}

/* What a module is, told by what it exports. */
static unsigned find_traits(const struct elf_image *image)
{
	static const struct {
		const char *name;
		unsigned trait;
	} signs[] = {
		{ "malloc", MODULE_MALLOC },
		{ "pthread_create", MODULE_PTHREAD },
		{ "__libc_start_main", MODULE_LIBC },
		/* libpthread before glibc 2.34 */
		{ "__pthread_initialize_minimal", MODULE_LIBC },
		{ "gnu_get_libc_version", MODULE_GLIBC },
		{ "_dl_allocate_tls", MODULE_LD },
		{ "_dl_find_dso_for_object", MODULE_LD },
		{ "__tls_get_addr", MODULE_LD },
		{ "Py_IsInitialized", MODULE_PYTHON },
		{ "_Py_MergeZeroLocalRefcount", MODULE_FREE_THREADED },
	};
	unsigned traits = 0;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (elf_image_find(image, signs[i].name))
			traits |= signs[i].trait;
	return traits;
}

/* What we lack ourselves, or the disk: unlike a file that is not there or not
 * ELF, it may be a library that matters. */
static bool is_shortage(int cause)
{
	return cause == ENOMEM || cause == EMFILE || cause == ENFILE ||
	       cause == EIO;
}

static void read_module(pid_t pid, struct module *module,
			const struct mapping *first)
{
	owned_fd fd = module_open(pid, first);

	if (fd < 0 || !elf_image_load(fd, &module->image))
		return;
	module->loaded = true;
	module->bias = module->low - module->image.low;
	module->traits |= find_traits(&module->image);
	if (module->traits &
	    (MODULE_LIBC | MODULE_LD | MODULE_PTHREAD | MODULE_MALLOC))
		(void)elf_image_index(&module->image);
}

/* A file that cannot be read is passed over, unless the lack is ours: a module
 * that we do not know would count as harmless. */
static int load_module(pid_t pid, struct module *module,
		       const struct mapping *first, struct error *err)
{
	errno = 0;
	read_module(pid, module, first);
	if (!is_shortage(errno))
		return 0;
	return error_set_errno(err,
			       errno == ENOMEM ? ERROR_NO_MEMORY : ERROR_SYSTEM,
			       errno, "reading the files of process %d", pid);
}

static void mark_executable(pid_t pid, struct modules *modules)
{
	char path[64];
	struct stat file;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (stat(path, &file))
		return;
	for (size_t i = 0; i < modules->count; i++) {
		if (modules->list[i].inode != file.st_ino)
			continue;
		modules->list[i].traits |= MODULE_EXECUTABLE;
		return;
	}
}

int modules_load(pid_t pid, const struct maps *maps,
		 struct modules *ret_modules, struct error *err)
{
	struct modules modules;

	if (modules_group(maps, &modules, err))
		return -1;
	for (size_t i = 0; i < modules.count; i++) {
		struct module *module = &modules.list[i];

		if (module->traits & MODULE_VDSO ||
		    !load_module(pid, module, maps_find(maps, module->low),
				 err))
			continue;
		modules_release(&modules);
		return -1;
	}
	*ret_modules = modules;
	return 0;
}

int modules_read(pid_t pid, struct modules *ret_modules, struct error *err)
{
	struct maps maps;
	int failed;

	if (maps_read(pid, &maps, err))
		return -1;
	failed = modules_load(pid, &maps, ret_modules, err);
	maps_release(&maps);
	if (!failed)
		mark_executable(pid, ret_modules);
	return failed;
}

void modules_release(struct modules *modules)
{
	if (!modules)
		return;
	for (size_t i = 0; i < modules->count; i++)
		elf_image_release(&modules->list[i].image);
	free(modules->list);
	memset(modules, 0, sizeof(*modules));
}

/* The list is in the order of addresses, as maps is. */
struct module *modules_covering(const struct modules *modules, uint64_t address)
{
	size_t low = 0, high = modules->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct module *module = &modules->list[middle];

		if (address < module->low)
			high = middle;
		else if (address >= module->high)
			low = middle + 1;
		else
			return module;
	}
	return NULL;
}

struct module *modules_at(const struct modules *modules, uint64_t address)
{
	struct module *module = modules_covering(modules, address);

	for (unsigned i = 0; module && i < module->texts; i++)
		if (address >= module->text[i].low &&
		    address < module->text[i].high)
			return module;
	return NULL;
}

struct module *modules_with(const struct modules *modules, unsigned traits)
{
	for (size_t i = 0; i < modules->count; i++)
		if ((modules->list[i].traits & traits) == traits)
			return &modules->list[i];
	return NULL;
}

bool modules_unread(const struct modules *modules)
{
	for (size_t i = 0; i < modules->count; i++)
		if (!modules->list[i].loaded &&
		    !(modules->list[i].traits & MODULE_VDSO))
			return true;
	return false;
}

uint64_t module_symbol(const struct module *module, const char *name)
{
	const struct elf_symbol *symbol;

	if (!module || !module->loaded)
		return 0;
	symbol = elf_image_find(&module->image, name);
	return symbol ? symbol->address + module->bias : 0;
}
