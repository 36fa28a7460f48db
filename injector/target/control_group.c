/* SPDX-License-Identifier: MIT */
#include "injector/target/control_group.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injector/owned.h"
#include "injector/target/procfs.h"

#define MOUNTINFO_MAX (4u << 20)
#define GROUPS_MAX 65536u
/* A file's name is appended to a folder. */
#define FILE_MAX (CONTROL_GROUP_PATH * 2 + 64)

/* Copies up to end; false when it does not fit. */
static bool copy_span(const char *from, const char *end, char *to, size_t size)
{
	size_t length = (size_t)(end - from);

	if (length >= size)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

/* Is the word in a list with commas between, which ends at end? */
static bool list_has(const char *list, const char *end, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at < end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;

		if ((size_t)(stop - at) == length && !memcmp(at, word, length))
			return true;
		at = stop + 1;
	}
	return false;
}

static const char *line_end(const char *line)
{
	return line + strcspn(line, "\n");
}

/* "9:freezer:/a/b", or "0::/a/b" for version 2. */
bool control_group_parse_path(const char *text, const char *controller,
			      char *ret_path, size_t size)
{
	const char *line = text;

	while (*line) {
		const char *end = line_end(line);
		const char *list = memchr(line, ':', (size_t)(end - line));
		const char *path =
			list ? memchr(list + 1, ':', (size_t)(end - list - 1))
			     : NULL;
		bool wanted = false;

		if (path && controller)
			wanted = list_has(list + 1, path, controller);
		else if (path)
			wanted = list + 1 == path && !strncmp(line, "0:", 2);
		if (wanted)
			return copy_span(path + 1, end, ret_path, size);
		line = *end ? end + 1 : end;
	}
	return false;
}

/* The next word of a line of mountinfo, with its octal escapes undone. */
static const char *next_word(const char *at, const char *end, char *word)
{
	size_t used = 0;

	while (at < end && *at == ' ')
		at++;
	while (at < end && *at != ' ' && used < CONTROL_GROUP_PATH - 1) {
		if (*at == '\\' && end - at > 3 && at[1] >= '0' &&
		    at[1] <= '3') {
			char digits[4] = { at[1], at[2], at[3], '\0' };

			word[used++] = (char)strtol(digits, NULL, 8);
			at += 4;
		} else {
			word[used++] = *at++;
		}
	}
	word[used] = '\0';
	return at;
}

/* "36 35 98:0 /root /point opts [optional...] - type source options". */
static bool parse_mount_line(const char *line, const char *end,
			     const char *controller, char *ret_point,
			     char *ret_root)
{
	char skip[CONTROL_GROUP_PATH], type[CONTROL_GROUP_PATH];
	const char *at = line;

	for (int i = 0; i < 3; i++)
		at = next_word(at, end, skip);
	at = next_word(at, end, ret_root);
	at = next_word(at, end, ret_point);
	while (at < end && strcmp(skip, "-") != 0)
		at = next_word(at, end, skip);
	at = next_word(at, end, type);
	if (!controller)
		return !strcmp(type, "cgroup2");
	at = next_word(at, end, skip);
	while (at < end && *at == ' ')
		at++;
	return !strcmp(type, "cgroup") && list_has(at, end, controller);
}

bool control_group_parse_mount(const char *text, const char *controller,
			       char *ret_point, char *ret_root)
{
	const char *line = text;

	while (*line) {
		const char *end = line_end(line);

		if (parse_mount_line(line, end, controller, ret_point,
				     ret_root))
			return true;
		line = *end ? end + 1 : end;
	}
	return false;
}

bool control_group_folder(const char *path, const char *point, const char *root,
			  char *ret_folder, size_t size)
{
	size_t length = strcmp(root, "/") ? strlen(root) : 0;
	int written;

	/* Outside of our namespace of groups paths begin with "/..". */
	if (path[0] != '/' || strstr(path, "/..") ||
	    strncmp(path, root, length) != 0 ||
	    (path[length] != '/' && path[length] != '\0'))
		return false;
	written = snprintf(ret_folder, size, "%s%s", point, path + length);
	return written > 0 && (size_t)written < size;
}

char *control_group_mounts(void)
{
	size_t length;

	return procfs_read_all(getpid(), "mountinfo", MOUNTINFO_MAX, &length);
}

bool control_group_find(pid_t pid, const char *mounts, const char *controller,
			struct control_group *ret_group)
{
	char root[CONTROL_GROUP_PATH], point[CONTROL_GROUP_PATH];
	char text[GROUPS_MAX];

	if (procfs_read(pid, "cgroup", text, sizeof(text)) <= 0 ||
	    !control_group_parse_path(text, controller, ret_group->path,
				      sizeof(ret_group->path)) ||
	    !control_group_parse_mount(mounts, controller, point, root) ||
	    !control_group_folder(ret_group->path, point, root,
				  ret_group->folder, sizeof(ret_group->folder)))
		return false;
	ret_group->point = strlen(point);
	return true;
}

bool control_group_up(struct control_group *group)
{
	char *slash = strrchr(group->folder, '/');

	if (strlen(group->folder) <= group->point || !slash)
		return false;
	*slash = '\0';
	return true;
}

bool control_group_read(const struct control_group *group, const char *name,
			char *ret_text, size_t size)
{
	char path[FILE_MAX];
	owned_fd fd = -1;
	ssize_t got;

	snprintf(path, sizeof(path), "%s/%s", group->folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd >= 0 ? read(fd, ret_text, size - 1) : -1;
	ret_text[got > 0 ? got : 0] = '\0';
	return got > 0;
}
