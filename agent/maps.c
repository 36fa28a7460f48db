/* SPDX-License-Identifier: MIT */
#include "agent/maps.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "agent/sys.h"

enum { LINE = 128 }; /* of a line, what matters: the path may be longer */

int maps_open(struct maps *maps)
{
	maps->next = maps->used = 0;
	maps->fd = sys_open("/proc/self/maps", O_RDONLY);
	return maps->fd < 0 ? -1 : 0;
}

void maps_close(struct maps *maps)
{
	sys_close(maps->fd);
	maps->fd = -1;
}

/* The next character, -1 at the end. */
static int get(struct maps *maps)
{
	if (maps->next == maps->used) {
		long n = sys_read(maps->fd, maps->buf, sizeof maps->buf);

		if (n <= 0)
			return -1;
		maps->next = 0;
		maps->used = (size_t)n;
	}
	return (unsigned char)maps->buf[maps->next++];
}

/* Reads a line, cut to fit; false at the end. */
static bool get_line(struct maps *maps, char line[LINE])
{
	size_t n = 0;
	int c = get(maps);

	if (c < 0)
		return false;
	while (c >= 0 && c != '\n') {
		if (n + 1 < LINE)
			line[n++] = (char)c;
		c = get(maps);
	}
	line[n] = '\0';
	return true;
}

static uintptr_t hexadecimal(const char **text)
{
	uintptr_t value = 0;

	for (;; (*text)++) {
		int c = (unsigned char)**text;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uintptr_t)(c - 'a' + 10);
		else
			return value;
	}
}

/* Skips a word and the blanks behind it. */
static const char *skip_word(const char *text)
{
	while (*text && *text != ' ')
		text++;
	while (*text == ' ')
		text++;
	return text;
}

/* Is what follows the device "inode path" of anonymous memory? A process may
 * have named it (prctl PR_SET_VMA_ANON_NAME): "[anon:...]". */
static bool nameless(const char *inode)
{
	const char *path = skip_word(inode);

	if (inode[0] != '0' || (inode[1] && inode[1] != ' '))
		return false;
	return !*path || !memcmp(path, "[anon:", 6);
}

/* "55d0-55d1 r-xp 00000000 00:00 0    [name]" */
static void parse(const char *line, struct mapping *ret_mapping)
{
	const char *text = line;
	const char *rights;

	ret_mapping->start = hexadecimal(&text);
	if (*text == '-')
		text++;
	ret_mapping->end = hexadecimal(&text);
	rights = text = skip_word(text);
	ret_mapping->protection = 0;
	ret_mapping->anonymous = false;
	if (text_length(rights) < 4)
		return;
	ret_mapping->protection = (rights[0] == 'r' ? PROT_READ : 0) |
				  (rights[1] == 'w' ? PROT_WRITE : 0) |
				  (rights[2] == 'x' ? PROT_EXEC : 0);
	text = skip_word(skip_word(skip_word(text)));
	ret_mapping->anonymous = rights[3] == 'p' && nameless(text);
}

bool maps_next(struct maps *maps, struct mapping *ret_mapping)
{
	char line[LINE] = "";

	if (!get_line(maps, line))
		return false;
	parse(line, ret_mapping);
	return true;
}

bool maps_find(uintptr_t address, struct mapping *ret_mapping)
{
	struct mapping one;
	struct maps maps;
	bool found = false;

	if (maps_open(&maps) < 0)
		return false;
	while (!found && maps_next(&maps, &one))
		found = address >= one.start && address < one.end;
	maps_close(&maps);
	if (found)
		*ret_mapping = one;
	return found;
}
