/* SPDX-License-Identifier: MIT */
#include "injector/stack/remote.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* At least twice as many places as pages keep the searches short. */
#define ROOM_FIRST 1024u
#define ROOM_LAST (REMOTE_PAGES_MAX * 2)
#define REMOTE_PROBES 16u
#define FETCH_PAGES 256u /* of one call; the kernel takes up to 1024 */
#define SLAB_BYTES ((size_t)REMOTE_SLAB_PAGES * REMOTE_PAGE)

struct remote_page {
	uint64_t address;
	uint8_t *bytes; /* of a slab */
	uint32_t generation;
	bool readable;
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
	self->room = ROOM_FIRST;
	self->table = calloc(ROOM_FIRST, sizeof(*self->table));
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
	for (size_t i = 0; i < self->slabs; i++)
		free(self->slab[i]);
	free(self->table);
	memset(self, 0, sizeof(*self));
}

void remote_forget(struct remote *self)
{
	self->generation++;
	self->pages = self->taken = 0;
	self->last = NULL;
}

static bool add_slab(struct remote *self)
{
	uint8_t *slab = NULL;

	if (self->slabs < REMOTE_SLABS_MAX)
		slab = aligned_alloc(REMOTE_PAGE, SLAB_BYTES);
	if (!slab)
		return false;
	self->slab[self->slabs++] = slab;
	return true;
}

/* The first write to a page of ours takes longer than to copy one of the
 * target's. Those that are taken were written to. */
void remote_reserve(struct remote *self, size_t pages)
{
	for (size_t i = self->taken; i < pages; i++) {
		size_t slab = i / REMOTE_SLAB_PAGES;

		if (slab == self->slabs && !add_slab(self))
			return;
		explicit_bzero(self->slab[slab] +
				       i % REMOTE_SLAB_PAGES * REMOTE_PAGE,
			       sizeof(uint64_t));
	}
}

/* Room for a page, until the cache is emptied; NULL: there is no more. */
static uint8_t *take_bytes(struct remote *self)
{
	uint32_t slab = self->taken / REMOTE_SLAB_PAGES;
	uint32_t page = self->taken % REMOTE_SLAB_PAGES;

	if (slab == self->slabs && !add_slab(self))
		return NULL;
	self->taken++;
	return self->slab[slab] + (size_t)page * REMOTE_PAGE;
}

/* The place of a page: its own, or one that is free in this generation; NULL
 * when the neighbourhood is full. */
static struct remote_page *place_in(struct remote_page *table, size_t room,
				    uint32_t generation, uint64_t base)
{
	uint64_t hash = base / REMOTE_PAGE * 0x9e3779b97f4a7c15ull >> 40;

	for (unsigned i = 0; i < REMOTE_PROBES; i++) {
		struct remote_page *page = &table[(hash + i) & (room - 1)];

		if (page->generation != generation || page->address == base)
			return page;
	}
	return NULL;
}

static struct remote_page *find_place(const struct remote *self, uint64_t base)
{
	return place_in(self->table, self->room, self->generation, base);
}

/* Doubles the table. A page that finds no place any more, or no memory for a
 * larger table, makes searches longer and no more. */
static void grow(struct remote *self)
{
	size_t room = self->room * 2;
	struct remote_page *table = calloc(room, sizeof(*table));

	if (!table)
		return;
	for (size_t i = 0; i < self->room; i++) {
		const struct remote_page *page = &self->table[i];
		struct remote_page *place;

		if (page->generation != self->generation)
			continue;
		place = place_in(table, room, self->generation, page->address);
		if (place)
			*place = *page;
	}
	free(self->table);
	self->table = table;
	self->room = room;
}

static bool is_crowded(const struct remote *self, size_t pages)
{
	return pages * 2 >= self->room && self->room < ROOM_LAST;
}

/* The bytes of a page; NULL: it cannot be read. *ret_full: no more is cached,
 * so that nothing is known about it. */
static const uint8_t *get_page(struct remote *self, uint64_t base,
			       bool *ret_full)
{
	struct remote_page *page = find_place(self, base);
	uint8_t *bytes;

	*ret_full = false;
	if (page && page->generation == self->generation)
		return page->readable ? page->bytes : NULL;
	if (is_crowded(self, self->pages)) {
		grow(self);
		page = find_place(self, base);
	}
	bytes = page && self->pages < REMOTE_PAGES_MAX ? take_bytes(self)
						       : NULL;
	if (!bytes) {
		*ret_full = true;
		return NULL;
	}
	self->reads++;
	page->bytes = bytes;
	page->readable = self->source(self->arg, base, bytes, REMOTE_PAGE) ==
			 REMOTE_PAGE;
	page->address = base;
	page->generation = self->generation;
	self->pages++;
	return page->readable ? bytes : NULL;
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
	if (is_crowded(self, self->pages + fetch->count)) {
		fetch_pages(self, fetch);
		grow(self);
		page = find_place(self, base);
	}
	if (!page)
		return;
	page->bytes = take_bytes(self);
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

bool remote_cached(const struct remote *self, uint64_t address)
{
	uint64_t base = address & ~(uint64_t)(REMOTE_PAGE - 1);
	const struct remote_page *page;

	if (self->last && self->last_base == base)
		return true;
	page = find_place(self, base);
	return page && page->generation == self->generation;
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

/* One call, unless something is not readable: the call ends there. */
void remote_gather(struct remote *self, const uint64_t *addresses, size_t count,
		   int32_t *ret_values)
{
	struct iovec target[FETCH_PAGES];
	size_t part, done;

	memset(ret_values, 0, count * sizeof(*ret_values));
	for (size_t at = 0; at < count; at += done < part ? done + 1 : part) {
		struct iovec local = { ret_values + at, 0 };
		ssize_t got;

		part = count - at < FETCH_PAGES ? count - at : FETCH_PAGES;
		for (size_t i = 0; i < part; i++)
			target[i] = (struct iovec){
				(void *)(uintptr_t)addresses[at + i],
				sizeof(*ret_values)
			};
		local.iov_len = part * sizeof(*ret_values);
		got = self->pid ? process_vm_readv(self->pid, &local, 1, target,
						   part, 0)
				: 0;
		done = got > 0 ? (size_t)got / sizeof(*ret_values) : 0;
		self->reads++;
		if (done < part && !remote_i32(self, addresses[at + done],
					       &ret_values[at + done]))
			ret_values[at + done] = 0;
	}
}

size_t remote_read_some(const struct remote *self, uint64_t address, void *buf,
			size_t size)
{
	if (address + size < address)
		return 0;
	return self->source(self->arg, address, buf, size);
}

/* Most of what is read lies where the last was. */
static const uint8_t *look_up(struct remote *self, uint64_t base,
			      bool *ret_full)
{
	if (!self->last || self->last_base != base) {
		self->last = get_page(self, base, ret_full);
		self->last_base = base;
	}
	return self->last;
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
		bool full = false;

		if (part > size)
			part = size;
		bytes = look_up(self, base, &full);
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

const void *remote_view(struct remote *self, uint64_t address, void *buf,
			size_t size)
{
	size_t offset = address % REMOTE_PAGE;
	bool full = false;

	if (offset + size <= REMOTE_PAGE &&
	    look_up(self, address - offset, &full))
		return self->last + offset;
	return remote_read(self, address, buf, size) ? buf : NULL;
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
