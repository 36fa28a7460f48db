/* SPDX-License-Identifier: MIT */
#include "injector/target/beginning.h"

#include <elf.h>
#include <string.h>

#include "injector/target/procfs.h"

#define AUXV_MAX 1024

/* The vdso is the last that exec maps, and the auxiliary vector, all zero till
 * then, is filled after it (Linux 2.6.20 to 6.18, load_elf_binary). A kernel
 * thread has none, a kernel may have no vdso (vdso=0). */
static bool exec_maps(pid_t pid, const struct modules *modules)
{
	char bytes[AUXV_MAX];
	Elf64_auxv_t entry = { 0 };
	ssize_t size;

	if (modules_with(modules, MODULE_VDSO))
		return false;
	size = procfs_read(pid, "auxv", bytes, sizeof(bytes));
	for (size_t at = 0; (ssize_t)(at + sizeof(entry)) <= size;
	     at += sizeof(entry)) {
		memcpy(&entry, bytes + at, sizeof(entry));
		if (entry.a_type == AT_SYSINFO_EHDR ||
		    (at == 0 && entry.a_type == AT_NULL))
			return true;
	}
	return false;
}

/* The dynamic linker comes with the program, the C library some moments later;
 * what could not be read may be one. */
static bool linker_maps(const struct modules *modules)
{
	return modules_with(modules, MODULE_LD) &&
	       !modules_with(modules, MODULE_LIBC) && !modules_unread(modules);
}

int beginning_lacks(pid_t pid, const struct modules *modules, struct error *err)
{
	if (!exec_maps(pid, modules) && !linker_maps(modules))
		return -1;
	error_set(err, ERROR_BUSY,
		  "process %d has only begun: not all of it "
		  "is mapped yet",
		  pid);
	return error_remedy(err, "try again");
}
