/* SPDX-License-Identifier: MIT */
#include "injector/target/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The unwind tables of a large library; more is read page by page. */
#define MEMORY_RANGE_MAX (16u << 20)

int memory_init(struct memory *memory, pid_t pid, struct error *err)
{
	memset(memory, 0, sizeof(*memory));
	memory->pid = pid;
	memory->pages = calloc(MEMORY_PAGES, sizeof(*memory->pages));
	if (!memory->pages)
		return error_set(err, ERROR_NO_MEMORY, "page cache");
	return 0;
}

void memory_release(struct memory *memory)
{
	if (!memory)
		return;
	for (unsigned i = 0; i < memory->ranges; i++)
		free(memory->range[i].bytes);
	free(memory->pages);
	memset(memory, 0, sizeof(*memory));
}

void memory_bind(struct memory *memory, int fd)
{
	memory->bound = true;
	memory->fd = fd;
}

bool memory_read(const struct memory *memory, uint64_t address, void *buf,
		 size_t size)
{
	return memory_read_some(memory, address, buf, size) == size;
}

bool memory_write(const struct memory *memory, uint64_t address,
		  const void *buf, size_t size)
{
	struct iovec local = { (void *)(uintptr_t)buf, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };

	if (memory->bound)
		return pwrite(memory->fd, buf, size, (off_t)address) ==
		       (ssize_t)size;
	return process_vm_writev(memory->pid, &local, 1, &remote, 1, 0) ==
	       (ssize_t)size;
}

/* The kernel stops at the first page that is not mapped, and says how far it
 * came. */
size_t memory_read_some(const struct memory *memory, uint64_t address,
			void *buf, size_t size)
{
	struct iovec local = { buf, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };
	ssize_t got;

	if (memory->source)
		return memory->source(memory->arg, address, buf, size);
	if (memory->bound)
		got = pread(memory->fd, buf, size, (off_t)address);
	else
		got = process_vm_readv(memory->pid, &local, 1, &remote, 1, 0);
	return got > 0 ? (size_t)got : 0;
}

static bool read_page(struct memory *memory, uint64_t address, void *buf,
		      size_t size)
{
	uint64_t base = address & ~(uint64_t)(MEMORY_PAGE - 1);
	struct memory_page *page =
		&memory->pages[base / MEMORY_PAGE % MEMORY_PAGES];

	if (page->address != base) {
		page->address = 0;
		if (!memory_read(memory, base, page->bytes, MEMORY_PAGE))
			return memory_read(memory, address, buf, size);
		page->address = base;
	}
	memcpy(buf, page->bytes + (address - base), size);
	return true;
}

bool memory_read_cached(struct memory *memory, uint64_t address, void *buf,
			size_t size)
{
	uint64_t offset = address % MEMORY_PAGE;

	for (unsigned i = 0; i < memory->ranges; i++) {
		const struct memory_range *range = &memory->range[i];

		if (address >= range->low && address < range->high &&
		    size <= range->high - address) {
			memcpy(buf, range->bytes + (address - range->low),
			       size);
			return true;
		}
	}
	if (address == 0 || size > MEMORY_PAGE - offset)
		return memory_read(memory, address, buf, size);
	return read_page(memory, address, buf, size);
}

void memory_preload(struct memory *memory, uint64_t low, uint64_t high)
{
	struct memory_range *range = &memory->range[memory->ranges];
	uint8_t *bytes;

	if (memory->ranges == MEMORY_RANGES || low >= high ||
	    high - low > MEMORY_RANGE_MAX)
		return;
	bytes = malloc(high - low);
	if (!bytes)
		return;
	if (!memory_read(memory, low, bytes, high - low)) {
		free(bytes);
		return;
	}
	range->low = low;
	range->high = high;
	range->bytes = bytes;
	memory->ranges++;
}
