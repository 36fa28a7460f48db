/* SPDX-License-Identifier: MIT */
#include "injector/target/core_file.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "injector/target/core_notes.h"
#include "injector/target/memory.h"

#define FILES_MAX 4096u

void core_release(struct core_file *core)
{
	if (!core)
		return;
	for (size_t i = 0; i < core->file_count; i++) {
		if (core->files[i].fd >= 0)
			close(core->files[i].fd);
		free(core->files[i].path);
	}
	free(core->segments);
	free(core->threads);
	free(core->mapped);
	free(core->files);
	free(core->names);
	if (core->fd >= 0)
		close(core->fd);
	memset(core, 0, sizeof(*core));
	core->fd = -1;
}

/* ---- memory
 * ---------------------------------------------------------------------- */

static size_t read_at(int fd, uint64_t offset, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)buf + done, size - done,
				    (off_t)(offset + done));

		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

static const struct core_segment *find_segment(const struct core_file *core,
					       uint64_t address)
{
	size_t low = 0, high = core->segment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct core_segment *segment = &core->segments[middle];

		if (address < segment->low)
			high = middle;
		else if (address >= segment->high)
			low = middle + 1;
		else
			return segment;
	}
	return NULL;
}

static const struct core_mapped *find_mapped(const struct core_file *core,
					     uint64_t address)
{
	size_t low = 0, high = core->mapped_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct core_mapped *mapped = &core->mapped[middle];

		if (address < mapped->low)
			high = middle;
		else if (address >= mapped->high)
			low = middle + 1;
		else
			return mapped;
	}
	return NULL;
}

static size_t least(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

/* What the core leaves out was as in the file. */
static size_t read_file(const struct core_file *core, uint64_t address,
			void *buf, size_t size)
{
	const struct core_mapped *mapped = find_mapped(core, address);

	if (!mapped || core->files[mapped->file].fd < 0)
		return 0;
	return read_at(core->files[mapped->file].fd,
		       mapped->offset + (address - mapped->low), buf,
		       least(size, mapped->high - address));
}

static size_t read_piece(const struct core_file *core, uint64_t address,
			 void *buf, size_t size)
{
	const struct core_segment *segment = find_segment(core, address);
	uint64_t at;

	if (!segment)
		return read_file(core, address, buf, size);
	at = address - segment->low;
	if (at < segment->filled)
		return read_at(core->fd, segment->offset + at, buf,
			       least(size, segment->filled - at));
	return read_file(core, address, buf,
			 least(size, segment->high - address));
}

size_t core_read(void *arg, uint64_t address, void *buf, size_t size)
{
	size_t done = 0, got;

	while (done < size) {
		got = read_piece(arg, address + done, (char *)buf + done,
				 size - done);
		if (!got)
			break;
		done += got;
	}
	return done;
}

const struct core_thread *core_thread(const struct core_file *core, pid_t tid)
{
	for (size_t i = 0; i < core->thread_count; i++)
		if (core->threads[i].tid == tid)
			return &core->threads[i];
	return NULL;
}

/* ---- files
 * ----------------------------------------------------------------------- */

/* The first page of a file, as the core has it. */
static bool first_page(const struct core_file *core, unsigned file,
		       uint8_t *page)
{
	for (size_t i = 0; i < core->mapped_count; i++) {
		const struct core_mapped *mapped = &core->mapped[i];
		const struct core_segment *segment;

		if (mapped->file != file || mapped->offset)
			continue;
		segment = find_segment(core, mapped->low);
		if (!segment || mapped->low - segment->low >= segment->filled)
			return false;
		return read_at(core->fd,
			       segment->offset + (mapped->low - segment->low),
			       page, MEMORY_PAGE) == MEMORY_PAGE;
	}
	return false;
}

bool core_is_program(const struct core_file *core, size_t file)
{
	uint8_t page[MEMORY_PAGE];

	return first_page(core, (unsigned)file, page) &&
	       !memcmp(page, ELFMAG, SELFMAG);
}

static bool is_mapped_one(const struct core_file *core, unsigned file, int fd)
{
	uint8_t then[MEMORY_PAGE], now[MEMORY_PAGE];

	return first_page(core, file, then) &&
	       read_at(fd, 0, now, sizeof(now)) == sizeof(now) &&
	       !memcmp(then, now, sizeof(now));
}

static void open_file(struct core_file *core, unsigned index, const char *root)
{
	struct core_mapped_file *file = &core->files[index];
	struct stat found;
	int fd;

	if (file->name[0] != '/' ||
	    asprintf(&file->path, "%s%s", root, file->name) < 0) {
		file->path = NULL;
		return;
	}
	fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return;
	if (fstat(fd, &found) || !S_ISREG(found.st_mode) ||
	    !is_mapped_one(core, index, fd)) {
		close(fd);
		return;
	}
	file->fd = fd;
	file->inode = found.st_ino;
	file->device_major = major(found.st_dev);
	file->device_minor = minor(found.st_dev);
}

int core_open(int fd, const char *root, struct core_file *ret_core,
	      struct error *err)
{
	struct core_file core = { .fd = fd };

	if (core_notes_read(&core, err)) {
		core_release(&core);
		return -1;
	}
	for (size_t i = 0; i < core.file_count; i++) {
		if (i < FILES_MAX)
			open_file(&core, (unsigned)i, root);
		core.files_missing += core.files[i].fd < 0;
	}
	*ret_core = core;
	return 0;
}

/* ---- mappings
 * -------------------------------------------------------------------- */

/* One line as in /proc/PID/maps (proc(5)). */
static void print_line(FILE *to, const struct core_segment *segment,
		       const struct core_mapped *mapped,
		       const struct core_mapped_file *file)
{
	fprintf(to, "%llx-%llx %c%c%cp %llx %x:%x %llu %s\n",
		(unsigned long long)segment->low,
		(unsigned long long)segment->high,
		segment->rights & MAPPING_READ ? 'r' : '-',
		segment->rights & MAPPING_WRITE ? 'w' : '-',
		segment->rights & MAPPING_EXEC ? 'x' : '-',
		mapped ? (unsigned long long)(mapped->offset +
					      (segment->low - mapped->low))
		       : 0,
		file ? file->device_major : 0, file ? file->device_minor : 0,
		file ? (unsigned long long)file->inode : 0,
		file ? (file->path ? file->path : file->name) : "");
}

int core_maps(const struct core_file *core, struct maps *ret_maps,
	      struct error *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return error_set(err, ERROR_NO_MEMORY, "maps of a core file");
	for (size_t i = 0; i < core->segment_count; i++) {
		const struct core_segment *segment = &core->segments[i];
		const struct core_mapped *mapped =
			find_mapped(core, segment->low);

		print_line(to, segment, mapped,
			   mapped ? &core->files[mapped->file] : NULL);
	}
	if (fclose(to)) {
		free(text);
		return error_set(err, ERROR_NO_MEMORY, "maps of a core file");
	}
	return maps_parse(text, ret_maps, err);
}
