/* SPDX-License-Identifier: MIT */
#include "injector/target/beginning.h"

#include <elf.h>
#include <string.h>

#include "injector/injector.h"
#include "injector/target/procfs.h"

#define AUXV_MAX 4096
#define IN_EXEC 1 /* the mark of what has none yet */

static bool is_empty(const unsigned char *vector)
{
	Elf64_auxv_t first;

	memcpy(&first, vector, sizeof(first));
	return first.a_type == AT_NULL;
}

/* The kernel puts a program, its stack and its random bytes at new places each
 * time: the auxiliary vector, which no program can change in the kernel, tells
 * them apart. exec fills it after the last mapping (load_elf_binary, Linux 5.4
 * to 6.18); a kernel thread has none. */
uint64_t process_program(pid_t pid)
{
	unsigned char vector[AUXV_MAX];
	ssize_t size = procfs_read(pid, "auxv", (char *)vector, sizeof(vector));
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */

	if (size < (ssize_t)sizeof(Elf64_auxv_t))
		return 0;
	if (is_empty(vector))
		return IN_EXEC;
	for (ssize_t i = 0; i < size; i++)
		hash = (hash ^ vector[i]) * 0x100000001b3ull;
	return hash;
}

static bool exec_maps(pid_t pid, uint64_t program)
{
	uint64_t now = process_program(pid);

	return now == IN_EXEC || (now && program && now != program);
}

/* The dynamic linker comes with the program, the C library some moments later;
 * what could not be read may be one. */
static bool linker_maps(const struct modules *modules)
{
	return modules_with(modules, MODULE_LD) &&
	       !modules_with(modules, MODULE_LIBC) && !modules_unread(modules);
}

int beginning_lacks(pid_t pid, uint64_t program, const struct modules *modules,
		    struct error *err)
{
	if (!exec_maps(pid, program) && !linker_maps(modules))
		return -1;
	error_set(err, ERROR_BUSY, "process %d has only begun this program",
		  pid);
	return error_remedy(err, "try again");
}
