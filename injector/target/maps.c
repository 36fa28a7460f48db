/* SPDX-License-Identifier: MIT */
#include "injector/target/maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "injector/target/procfs.h"
#include "injector/target/process.h"

/* vm.max_map_count is 65530 by default; lines are some 100 bytes. */
#define MAPS_TEXT_MAX (64u << 20)

static unsigned parse_rights(const char *rights)
{
	return (rights[0] == 'r' ? MAPPING_READ : 0u) |
	       (rights[1] == 'w' ? MAPPING_WRITE : 0u) |
	       (rights[2] == 'x' ? MAPPING_EXEC : 0u);
}

/* One line, already cut at its newline. */
static bool parse_line(char *line, struct mapping *ret_mapping)
{
	struct mapping mapping;
	unsigned long low, high, offset, inode;
	char rights[5];
	int path = 0;

	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &low, &high, rights,
		   &offset, &mapping.device_major, &mapping.device_minor,
		   &inode, &path) < 7 ||
	    path == 0 || low >= high)
		return false;
	mapping.low = low;
	mapping.high = high;
	mapping.offset = offset;
	mapping.inode = inode;
	mapping.rights = parse_rights(rights);
	mapping.path = line + path;
	*ret_mapping = mapping;
	return true;
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	while ((text = strchr(text, '\n'))) {
		lines++;
		text++;
	}
	return lines;
}

int maps_parse(char *text, struct maps *ret_maps, struct error *err)
{
	struct maps maps = { .text = text };
	char *line = text, *next;

	maps.list = calloc(count_lines(text), sizeof(*maps.list));
	if (!maps.list) {
		free(text);
		return error_set(err, ERROR_NO_MEMORY, "maps of the target");
	}
	for (; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (parse_line(line, &maps.list[maps.count]))
			maps.count++;
	}
	*ret_maps = maps;
	return 0;
}

int maps_read(pid_t pid, struct maps *ret_maps, struct error *err)
{
	size_t size;
	char *text = procfs_read_all(pid, "maps", MAPS_TEXT_MAX, &size);

	if (!text && (errno == ENOENT || errno == ESRCH))
		return process_missing(pid, err);
	if (!text && (errno == EACCES || errno == EPERM))
		return error_set(err, ERROR_NOT_PERMITTED,
				 "the maps of process %d may not be read", pid);
	if (!text)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "reading /proc/%d/maps", pid);
	return maps_parse(text, ret_maps, err);
}

const struct mapping *maps_find(const struct maps *maps, uint64_t address)
{
	size_t low = 0, high = maps->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapping *mapping = &maps->list[middle];

		if (address < mapping->low)
			high = middle;
		else if (address >= mapping->high)
			low = middle + 1;
		else
			return mapping;
	}
	return NULL;
}

void maps_release(struct maps *maps)
{
	if (!maps)
		return;
	free(maps->list);
	free(maps->text);
	memset(maps, 0, sizeof(*maps));
}
