/* SPDX-License-Identifier: MIT */
#include "injector/stack/remote.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* Twice as many places as pages keep the searches short. */
#define REMOTE_ROOM (REMOTE_PAGES_MAX * 2)
#define REMOTE_PROBES 16u
#define FETCH_PAGES 256u /* of one call; the kernel takes up to 1024 */

struct remote_page {
	uint64_t address;
	uint32_t generation;
	bool readable;
	uint8_t *bytes; /* kept from generation to generation */
};

static size_t read_process(void *arg, uint64_t address, void *buf, size_t size)
{
	const struct remote *self = arg;
	struct iovec local = { buf, size };
	struct iovec target = { (void *)(uintptr_t)address, size };
	ssize_t got = process_vm_readv(self->pid, &local, 1, &target, 1, 0);

	return got > 0 ? (size_t)got : 0;
}

int remote_init_source(struct remote *self, memory_source *source, void *arg,
		       struct error *err)
{
	memset(self, 0, sizeof(*self));
	self->source = source;
	self->arg = arg;
	self->generation = 1;
	self->room = REMOTE_ROOM;
	self->table = calloc(REMOTE_ROOM, sizeof(*self->table));
	if (!self->table)
		return error_set(err, ERROR_NO_MEMORY, "page cache");
	return 0;
}

int remote_init(struct remote *self, pid_t pid, struct error *err)
{
	if (remote_init_source(self, read_process, self, err))
		return -1;
	self->pid = self->self = pid;
	return 0;
}

void remote_release(struct remote *self)
{
	if (!self)
		return;
	for (size_t i = 0; self->table && i < self->room; i++)
		free(self->table[i].bytes);
	free(self->table);
	memset(self, 0, sizeof(*self));
}

void remote_forget(struct remote *self)
{
	self->generation++;
	self->pages = 0;
}

/* The place of a page: its own, or one that is free in this generation; NULL
 * when the neighbourhood is full. */
static struct remote_page *find_place(struct remote *self, uint64_t base)
{
	uint64_t hash = base / REMOTE_PAGE * 0x9e3779b97f4a7c15ull >> 40;

	for (unsigned i = 0; i < REMOTE_PROBES; i++) {
		struct remote_page *page =
			&self->table[(hash + i) & (self->room - 1)];

		if (page->generation != self->generation ||
		    page->address == base)
			return page;
	}
	return NULL;
}

/* The bytes of a page; NULL: it cannot be read. *ret_full: no more is cached,
 * so that nothing is known about it. */
static const uint8_t *get_page(struct remote *self, uint64_t base,
			       bool *ret_full)
{
	struct remote_page *page = find_place(self, base);

	*ret_full = false;
	if (page && page->generation == self->generation)
		return page->readable ? page->bytes : NULL;
	if (!page || self->pages == REMOTE_PAGES_MAX) {
		*ret_full = true;
		return NULL;
	}
	if (!page->bytes)
		page->bytes = malloc(REMOTE_PAGE);
	if (!page->bytes) {
		*ret_full = true;
		return NULL;
	}
	self->reads++;
	page->readable = self->source(self->arg, base, page->bytes,
				      REMOTE_PAGE) == REMOTE_PAGE;
	page->address = base;
	page->generation = self->generation;
	self->pages++;
	return page->readable ? page->bytes : NULL;
}

/* Pages that one call shall read. */
struct fetch {
	struct iovec local[FETCH_PAGES], target[FETCH_PAGES];
	struct remote_page *page[FETCH_PAGES];
	size_t count;
};

/* A call ends at the first page that cannot be read; that one and those
 * behind it are read when they are asked for. */
static void fetch_pages(struct remote *self, struct fetch *fetch)
{
	ssize_t got;
	size_t whole;

	if (!fetch->count)
		return;
	got = process_vm_readv(self->pid, fetch->local, fetch->count,
			       fetch->target, fetch->count, 0);
	self->reads++;
	whole = got > 0 ? (size_t)got / REMOTE_PAGE : 0;
	for (size_t i = 0; i < fetch->count; i++) {
		if (i >= whole) {
			fetch->page[i]->generation = 0;
			continue;
		}
		fetch->page[i]->readable = true;
		self->pages++;
	}
	fetch->count = 0;
}

/* The place is taken at once, so that no other page of this call gets it. */
static void add_page(struct remote *self, struct fetch *fetch, uint64_t base)
{
	struct remote_page *page = find_place(self, base);

	if (!page || page->generation == self->generation ||
	    self->pages + fetch->count >= REMOTE_PAGES_MAX)
		return;
	if (!page->bytes)
		page->bytes = malloc(REMOTE_PAGE);
	if (!page->bytes)
		return;
	page->address = base;
	page->generation = self->generation;
	page->readable = false;
	fetch->local[fetch->count] = (struct iovec){ page->bytes, REMOTE_PAGE };
	fetch->target[fetch->count] =
		(struct iovec){ (void *)(uintptr_t)base, REMOTE_PAGE };
	fetch->page[fetch->count++] = page;
	if (fetch->count == FETCH_PAGES)
		fetch_pages(self, fetch);
}

void remote_fetch(struct remote *self, const uint64_t *addresses, size_t count)
{
	struct fetch fetch = { .count = 0 };

	for (size_t i = 0; self->pid && i < count; i++)
		if (addresses[i])
			add_page(self, &fetch,
				 addresses[i] & ~(uint64_t)(REMOTE_PAGE - 1));
	fetch_pages(self, &fetch);
}

size_t remote_read_some(const struct remote *self, uint64_t address, void *buf,
			size_t size)
{
	if (address + size < address)
		return 0;
	return self->source(self->arg, address, buf, size);
}

bool remote_read(struct remote *self, uint64_t address, void *buf, size_t size)
{
	uint8_t *to = buf;

	if (address + size < address)
		return false;
	while (size) {
		uint64_t base = address & ~(uint64_t)(REMOTE_PAGE - 1);
		size_t offset = address - base, part = REMOTE_PAGE - offset;
		const uint8_t *bytes;
		bool full;

		if (part > size)
			part = size;
		bytes = get_page(self, base, &full);
		if (bytes)
			memcpy(to, bytes + offset, part);
		else if (!full ||
			 self->source(self->arg, address, to, part) != part)
			return false;
		to += part;
		address += part;
		size -= part;
	}
	return true;
}

uint64_t remote_pointer(struct remote *self, uint64_t address)
{
	uint64_t value = 0;

	return remote_read(self, address, &value, sizeof(value)) ? value : 0;
}

bool remote_u64(struct remote *self, uint64_t address, uint64_t *ret_value)
{
	return remote_read(self, address, ret_value, sizeof(*ret_value));
}

bool remote_i32(struct remote *self, uint64_t address, int32_t *ret_value)
{
	return remote_read(self, address, ret_value, sizeof(*ret_value));
}

bool remote_u8(struct remote *self, uint64_t address, uint8_t *ret_value)
{
	return remote_read(self, address, ret_value, sizeof(*ret_value));
}

/* Read up to each page's end, because what follows may not be mapped. */
bool remote_text(struct remote *self, uint64_t address, char *buf, size_t size)
{
	size_t length = 0;

	while (length < size - 1) {
		size_t part = REMOTE_PAGE - (address + length) % REMOTE_PAGE;
		const char *end;

		if (part > size - 1 - length)
			part = size - 1 - length;
		if (!remote_read(self, address + length, buf + length, part))
			return false;
		end = memchr(buf + length, '\0', part);
		if (end)
			return true;
		length += part;
	}
	buf[length] = '\0';
	return false;
}
