/* SPDX-License-Identifier: MIT */
#include "injector/injector.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "injector/arch/arch.h"
#include "injector/printable.h"
#include "injector/target/file_cache.h"
#include "injector/target/memory.h"
#include "injector/target/modules.h"
#include "injector/target/procfs.h"
#include "injector/target/version.h"
#include "injector/target/process.h"

static void read_command(pid_t pid, char *buf, size_t size)
{
	ssize_t got = procfs_read(pid, "cmdline", buf, size);

	if (got <= 0) {
		got = procfs_read(pid, "comm", buf, size);
		if (got > 0 && buf[got - 1] == '\n')
			buf[--got] = '\0';
	}
	if (got < 0)
		got = 0;
	while (got > 0 && buf[got - 1] == '\0')
		got--;
	for (ssize_t i = 0; i < got; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	buf[got] = '\0';
	make_printable(buf);
}

static bool has_foreign_root(pid_t pid)
{
	char path[64];
	struct stat root, ours;

	snprintf(path, sizeof(path), "/proc/%d/root/.", pid);
	return !stat(path, &root) && !stat("/.", &ours) &&
	       (root.st_dev != ours.st_dev || root.st_ino != ours.st_ino);
}

static int read_basics(pid_t pid, struct process_facts *facts,
		       struct error *err)
{
	struct procfs_status status;
	struct procfs_stat stat;

	memset(facts, 0, sizeof(*facts));
	if (!procfs_status(pid, &status) || !procfs_stat(pid, &stat))
		return process_unread(pid, errno, err);
	facts->pid = pid;
	facts->uid = status.uid;
	facts->gid = status.gid;
	facts->tracer = status.tracer;
	facts->seccomp = status.seccomp;
	facts->state = stat.state;
	facts->threads = stat.threads;
	return 0;
}

static uint32_t read_version(pid_t pid, struct module *python,
			     const struct file_traits *traits)
{
	struct memory memory = { .pid = pid };

	python->bias = python->low - traits->low;
	return version_read_at(&memory, python,
			       traits->version ? traits->version + python->bias
					       : 0);
}

/* What the modules tell, by the names that each file exports. */
static void read_modules(pid_t pid, const struct maps *maps,
			 struct modules *modules, struct file_cache *cache,
			 struct process_facts *facts)
{
	bool libc = false, glibc = false;

	for (size_t i = 0; i < modules->count; i++) {
		struct module *module = &modules->list[i];
		const struct file_traits *traits;

		if (module->traits & MODULE_VDSO)
			continue;
		traits = file_cache_get(cache, pid,
					maps_find(maps, module->low));
		if (!traits)
			continue;
		libc |= traits->libc;
		glibc |= traits->glibc;
		if (!traits->python || facts->python)
			continue;
		facts->python = true;
		facts->free_threaded = traits->free_threaded;
		facts->version = read_version(pid, module, traits);
		facts->supported = traits->machine == arch.elf_machine &&
				   !traits->free_threaded &&
				   version_supported(facts->version);
	}
	facts->musl = libc && !glibc;
}

static int inspect(pid_t pid, struct file_cache *cache,
		   struct process_facts *ret_facts, struct error *err)
{
	struct process_facts facts;
	struct modules modules;
	struct maps maps;

	if (read_basics(pid, &facts, err))
		return -1;
	read_command(pid, facts.command, sizeof(facts.command));
	if (!procfs_link(pid, "exe", facts.executable,
			 sizeof(facts.executable)))
		facts.executable[0] = '\0';
	if (!maps_read(pid, &maps, NULL)) {
		facts.readable = true;
		if (!modules_group(&maps, &modules, NULL)) {
			read_modules(pid, &maps, &modules, cache, &facts);
			modules_release(&modules);
		}
		maps_release(&maps);
	}
	if (facts.python)
		facts.foreign_root = has_foreign_root(pid);
	*ret_facts = facts;
	return 0;
}

int process_inspect(pid_t pid, struct process_facts *ret_facts,
		    struct error *err)
{
	struct file_cache cache = { 0 };
	int result = inspect(pid, &cache, ret_facts, err);

	file_cache_release(&cache);
	return result;
}

/* The executable of a process that we may not read is hidden too; its name
 * is what is left. */
static bool named_python(const struct process_facts *facts)
{
	char name[64];

	return procfs_read(facts->pid, "comm", name, sizeof(name)) > 0 &&
	       !strncmp(name, "python", 6);
}

int process_each(process_visit *visit, void *arg, struct error *err)
{
	struct file_cache cache = { 0 };
	struct process_facts facts;
	struct dirent *entry;
	int result = 0;
	DIR *dir = opendir("/proc");

	if (!dir)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "reading /proc");
	while (!result && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		/* One that ends meanwhile is simply not there. */
		if (inspect((pid_t)strtol(entry->d_name, NULL, 10), &cache,
			    &facts, NULL))
			continue;
		if (facts.python || (!facts.readable && named_python(&facts)))
			result = visit(&facts, arg);
	}
	closedir(dir);
	file_cache_release(&cache);
	return result;
}
