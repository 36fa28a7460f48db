/* SPDX-License-Identifier: MIT */
#include "injector/target/freezer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injector/owned.h"
#include "injector/target/procfs.h"

#define FREEZER_MOUNTINFO (4u << 20)
#define FREEZER_CGROUP 65536u
/* "cgroup.events" is longer than all else that is appended to a folder. */
#define FREEZER_FILE (FREEZER_PATH * 2 + 32)

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
bool freezer_parse_group(const char *text, enum freezer_version version,
			 char *ret_group, size_t size)
{
	const char *line = text;

	while (*line) {
		const char *end = line_end(line);
		const char *list = memchr(line, ':', (size_t)(end - line));
		const char *path =
			list ? memchr(list + 1, ':', (size_t)(end - list - 1))
			     : NULL;
		bool wanted = false;

		if (path && version == FREEZER_V1)
			wanted = list_has(list + 1, path, "freezer");
		else if (path)
			wanted = list + 1 == path && !strncmp(line, "0:", 2);
		if (wanted)
			return copy_span(path + 1, end, ret_group, size);
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
	while (at < end && *at != ' ' && used < FREEZER_PATH - 1) {
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
			     enum freezer_version version, char *ret_point,
			     char *ret_root)
{
	char skip[FREEZER_PATH], type[FREEZER_PATH];
	const char *at = line;

	for (int i = 0; i < 3; i++)
		at = next_word(at, end, skip);
	at = next_word(at, end, ret_root);
	at = next_word(at, end, ret_point);
	while (at < end && strcmp(skip, "-") != 0)
		at = next_word(at, end, skip);
	at = next_word(at, end, type);
	if (version == FREEZER_V2)
		return !strcmp(type, "cgroup2");
	at = next_word(at, end, skip);
	while (at < end && *at == ' ')
		at++;
	return !strcmp(type, "cgroup") && list_has(at, end, "freezer");
}

bool freezer_parse_mount(const char *text, enum freezer_version version,
			 char *ret_point, char *ret_root)
{
	const char *line = text;

	while (*line) {
		const char *end = line_end(line);

		if (parse_mount_line(line, end, version, ret_point, ret_root))
			return true;
		line = *end ? end + 1 : end;
	}
	return false;
}

bool freezer_folder(const char *group, const char *point, const char *root,
		    char *ret_folder, size_t size)
{
	size_t length = strcmp(root, "/") ? strlen(root) : 0;
	int written;

	/* Outside of our namespace of groups paths begin with "/..". */
	if (group[0] != '/' || strstr(group, "/..") ||
	    strncmp(group, root, length) != 0 ||
	    (group[length] != '/' && group[length] != '\0'))
		return false;
	written = snprintf(ret_folder, size, "%s%s", point, group + length);
	return written > 0 && (size_t)written < size;
}

static bool file_says(const char *folder, const char *name, const char *what)
{
	char path[FREEZER_FILE], text[256] = "";
	owned_fd fd = -1;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
	       strstr(text, what);
}

/* Version 1 passes the state down by itself. In version 2 a group counts as
 * frozen only once all in it are; that it is to be is said further up. */
static bool folder_frozen(const char *point, char *folder,
			  enum freezer_version version)
{
	if (version == FREEZER_V1)
		return file_says(folder, "freezer.state", "FR");
	if (file_says(folder, "cgroup.events", "frozen 1"))
		return true;
	while (strlen(folder) > strlen(point)) {
		char *slash = strrchr(folder, '/');

		if (file_says(folder, "cgroup.freeze", "1"))
			return true;
		if (!slash)
			break;
		*slash = '\0';
	}
	return false;
}

static bool frozen_by(pid_t pid, const char *mounts,
		      enum freezer_version version, char *ret_group,
		      size_t size)
{
	char group[FREEZER_PATH], point[FREEZER_PATH], root[FREEZER_PATH];
	char folder[FREEZER_PATH * 2], text[FREEZER_CGROUP];

	if (procfs_read(pid, "cgroup", text, sizeof(text)) <= 0 ||
	    !freezer_parse_group(text, version, group, sizeof(group)) ||
	    !freezer_parse_mount(mounts, version, point, root) ||
	    !freezer_folder(group, point, root, folder, sizeof(folder)) ||
	    !folder_frozen(point, folder, version))
		return false;
	snprintf(ret_group, size, "%s", group);
	return true;
}

bool freezer_frozen(pid_t pid, char *ret_group, size_t size)
{
	size_t length;
	owned_mem char *mounts = procfs_read_all(getpid(), "mountinfo",
						 FREEZER_MOUNTINFO, &length);

	return mounts && (frozen_by(pid, mounts, FREEZER_V2, ret_group, size) ||
			  frozen_by(pid, mounts, FREEZER_V1, ret_group, size));
}
