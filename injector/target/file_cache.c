/* SPDX-License-Identifier: MIT */
#include "injector/target/file_cache.h"

#include <stdlib.h>
#include <string.h>

#include "injector/owned.h"
#include "injector/target/elf_image.h"
#include "injector/target/modules.h"

enum sign {
	SIGN_PYTHON,
	SIGN_FREE_THREADED,
	SIGN_VERSION,
	SIGN_LIBC,
	SIGN_GLIBC,
	SIGNS,
};

static const char *const signs[SIGNS] = {
	[SIGN_PYTHON] = "Py_IsInitialized",
	[SIGN_FREE_THREADED] = "_Py_MergeZeroLocalRefcount",
	[SIGN_VERSION] = "Py_Version",
	[SIGN_LIBC] = "__libc_start_main",
	[SIGN_GLIBC] = "gnu_get_libc_version",
};

_Static_assert(SIGNS <= ELF_PROBE_NAMES, "too many signs");

static struct file_traits *slot(const struct file_cache *cache, uint64_t inode,
				unsigned device_major, unsigned device_minor)
{
	size_t at = (inode * 0x9e3779b97f4a7c15ull >> 20) & (cache->room - 1);

	for (;; at = (at + 1) & (cache->room - 1)) {
		struct file_traits *traits = &cache->list[at];

		if (!traits->inode || (traits->inode == inode &&
				       traits->device_major == device_major &&
				       traits->device_minor == device_minor))
			return traits;
	}
}

static bool grow(struct file_cache *cache)
{
	struct file_cache next = {
		.room = cache->room ? cache->room * 2 : 256,
	};

	next.list = calloc(next.room, sizeof(*next.list));
	if (!next.list)
		return false;
	for (size_t i = 0; i < cache->room; i++) {
		const struct file_traits *traits = &cache->list[i];

		if (traits->inode)
			*slot(&next, traits->inode, traits->device_major,
			      traits->device_minor) = *traits;
	}
	next.count = cache->count;
	free(cache->list);
	*cache = next;
	return true;
}

static void examine(struct file_traits *traits, pid_t pid,
		    const struct mapping *mapping)
{
	owned_fd fd = module_open(pid, mapping);
	struct elf_probe probe;

	if (fd < 0 || !elf_probe(fd, signs, SIGNS, &probe))
		return;
	traits->machine = probe.machine;
	traits->low = probe.low;
	traits->python = probe.found >> SIGN_PYTHON & 1;
	traits->free_threaded = probe.found >> SIGN_FREE_THREADED & 1;
	traits->libc = probe.found >> SIGN_LIBC & 1;
	traits->glibc = probe.found >> SIGN_GLIBC & 1;
	traits->version = probe.address[SIGN_VERSION];
}

const struct file_traits *file_cache_get(struct file_cache *cache, pid_t pid,
					 const struct mapping *mapping)
{
	struct file_traits *traits;

	if (!mapping || !mapping->inode ||
	    (cache->count * 2 >= cache->room && !grow(cache)))
		return NULL;
	traits = slot(cache, mapping->inode, mapping->device_major,
		      mapping->device_minor);
	if (!traits->inode) {
		traits->inode = mapping->inode;
		traits->device_major = mapping->device_major;
		traits->device_minor = mapping->device_minor;
		cache->count++;
		examine(traits, pid, mapping);
	}
	return traits;
}

void file_cache_release(struct file_cache *cache)
{
	free(cache->list);
	memset(cache, 0, sizeof(*cache));
}
