/* SPDX-License-Identifier: MIT */
/* record PID COROUTINE FILE: records the pages of a stopped Python process
 * that reading its stacks touches. COROUTINE: the address of a suspended one,
 * or 0. Ends with 1 when it cannot, and says why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injector/stack/runtime.h"
#include "tests/fuzz/images/reading.h"

static struct image_page *pages;
static uint64_t page_count;

static struct image_page *find_page(uint64_t address)
{
	for (uint64_t i = 0; i < page_count; i++)
		if (pages[i].address == address)
			return &pages[i];
	return NULL;
}

/* Keeps the pages that are asked for, and reads from what is kept. */
static size_t from_process(void *arg, uint64_t address, void *buf, size_t size)
{
	struct remote *live = arg;
	size_t done = 0;

	while (done < size) {
		uint64_t at = address + done;
		uint64_t start = at & ~(uint64_t)(IMAGE_PAGE - 1);
		size_t part = IMAGE_PAGE - (at - start);
		struct image_page *page = find_page(start);

		if (!page) {
			if (page_count == IMAGE_PAGES_MAX)
				break;
			page = &pages[page_count];
			if (remote_read_some(live, start, page->bytes,
					     IMAGE_PAGE) != IMAGE_PAGE)
				break;
			page->address = start;
			page_count++;
		}
		if (part > size - done)
			part = size - done;
		memcpy((uint8_t *)buf + done, page->bytes + (at - start), part);
		done += part;
	}
	return done;
}

static int save(const char *path, const struct image_head *head)
{
	FILE *file = fopen(path, "wb");
	bool good =
		file && fwrite(head, sizeof(*head), 1, file) == 1 &&
		fwrite(pages, sizeof(*pages), head->pages, file) == head->pages;

	if (!file || fclose(file) || !good) {
		perror(path);
		return 1;
	}
	return 0;
}

static int record(pid_t pid, struct image_head *head, const char *path)
{
	static struct error err;
	struct runtime runtime;
	struct modules modules;
	struct maps maps;
	struct remote live, recording;
	struct reading reading;

	if (maps_read(pid, &maps, &err) || modules_read(pid, &modules, &err) ||
	    remote_init(&live, pid, &err) ||
	    runtime_find(&runtime, &live, &modules, &maps, &err) ||
	    remote_init_source(&recording, from_process, &live, &err)) {
		fprintf(stderr, "record: %s\n", err.msg);
		return 1;
	}
	memcpy(head->magic, IMAGE_MAGIC, sizeof(head->magic));
	head->runtime = runtime.address;
	head->version = runtime.python.version;
	reading_all(&recording, head, &reading);
	head->pages = page_count;
	printf("%zu threads, %zu frames, %zu locals, %zu awaits, %zu objects, "
	       "%llu pages\n",
	       reading.threads, reading.frames, reading.locals, reading.awaits,
	       reading.objects, (unsigned long long)page_count);
	if (reading.threads < 3 || reading.frames < 20 || !reading.locals ||
	    !reading.objects || !reading.awaits) {
		fprintf(stderr, "record: too little was found\n");
		return 1;
	}
	return save(path, head);
}

int main(int argc, char **argv)
{
	struct image_head head = { 0 };

	if (argc != 4) {
		fprintf(stderr, "usage: record PID COROUTINE FILE\n");
		return 2;
	}
	pages = calloc(IMAGE_PAGES_MAX, sizeof(*pages));
	if (!pages)
		return 1;
	head.coroutine = strtoull(argv[2], NULL, 0);
	return record((pid_t)strtol(argv[1], NULL, 10), &head, argv[3]);
}
