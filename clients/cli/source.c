/* SPDX-License-Identifier: MIT */
#include "clients/cli/source.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/limits.h"

#define FILE_MOST (4u << 20)
#define START_FIELD 22 /* of /proc/PID/stat */

void source_init(struct source *source)
{
	memset(source, 0, sizeof(*source));
	source->root = source->cwd = -1;
}

static void file_release(struct source_file *file)
{
	free(file->path);
	free(file->text);
	free(file->lines);
	*file = (struct source_file){ NULL, NULL, 0, NULL, 0 };
}

void source_release(struct source *source)
{
	for (int i = 0; i < SOURCE_FILES; i++)
		file_release(&source->files[i]);
	if (source->root >= 0)
		close(source->root);
	if (source->cwd >= 0)
		close(source->cwd);
	source_init(source);
}

/* The start time of a process, in clock ticks; 0: it is gone. */
static unsigned long long start_of(int pid)
{
	char path[32], line[1024];
	const char *at;
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	length = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
	if (file)
		(void)!fclose(file);
	line[length] = '\0';
	/* A name may have spaces and brackets. */
	at = strrchr(line, ')');
	for (int field = 2; at && field < START_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

static int open_folder(int pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void source_of(struct source *source, const char *target)
{
	size_t length = strnlen(target, sizeof(source->target) - 1);
	unsigned long long start = 0;
	char *end;
	long pid;

	if (strcmp(source->target, target) == 0)
		return;
	source_release(source);
	memcpy(source->target, target, length);
	source->target[length] = 0;
	pid = strtol(target, &end, 10);
	if (pid <= 0 || pid > INT32_MAX)
		return;
	if (*end == '.')
		start = strtoull(end + 1, NULL, 10);
	source->root = open_folder((int)pid, "root");
	source->cwd = open_folder((int)pid, "cwd");
	/* Whose are they? The process is asked after they were opened. */
	if (!start || start_of((int)pid) == start)
		return;
	if (source->root >= 0)
		close(source->root);
	if (source->cwd >= 0)
		close(source->cwd);
	source->root = source->cwd = -1;
}

/* Opens a regular file without touching anything else: the place is looked at
 * before it is opened (to open a device can be an act). */
static int open_file(const struct source *source, const char *path)
{
	bool absolute = path[0] == '/';
	int folder = absolute ? source->root : source->cwd;
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_NO_MAGICLINKS |
					   (absolute ? RESOLVE_IN_ROOT
						     : RESOLVE_BENEATH) };
	struct stat st;
	char again[32];
	int place, fd = -1;

	if (folder < 0)
		return -1;
	place = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	if (place < 0)
		return -1;
	if (!fstat(place, &st) && S_ISREG(st.st_mode) &&
	    st.st_size <= FILE_MOST) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
		fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	close(place);
	return fd;
}

static char *read_all(int fd, size_t *ret_length)
{
	char *text = malloc(FILE_MOST), *small;
	size_t length = 0;
	ssize_t got;

	if (!text)
		return NULL;
	while (length < FILE_MOST &&
	       (got = read(fd, text + length, FILE_MOST - length)) > 0)
		length += (size_t)got;
	small = realloc(text, length ? length : 1);
	*ret_length = length;
	return small ? small : text;
}

static void index_lines(struct source_file *file)
{
	size_t count = 1, at = 0;

	for (size_t i = 0; i < file->length; i++)
		count += file->text[i] == '\n';
	file->lines = calloc(count, sizeof(*file->lines));
	if (!file->lines)
		return;
	for (size_t i = 0; i < file->length; i++)
		if (i == 0 || file->text[i - 1] == '\n')
			file->lines[at++] = (uint32_t)i;
	file->count = at;
}

static struct source_file *find(struct source *source, const char *path)
{
	struct source_file *file;
	int fd;

	for (int i = 0; i < SOURCE_FILES; i++)
		if (source->files[i].path &&
		    strcmp(source->files[i].path, path) == 0)
			return &source->files[i];
	file = &source->files[source->next++ % SOURCE_FILES];
	file_release(file);
	file->path = strdup(path);
	if (!file->path)
		return NULL;
	fd = open_file(source, path);
	if (fd < 0)
		return file;
	file->text = read_all(fd, &file->length);
	close(fd);
	if (file->text)
		index_lines(file);
	return file;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

const char *source_line(struct source *source, const char *path, int64_t line,
			size_t *ret_length)
{
	const struct source_file *file;
	size_t begin, end;

	if (line < 1 || !*path || strlen(path) >= LIMIT_PATH)
		return NULL;
	file = find(source, path);
	if (!file || (uint64_t)line > file->count)
		return NULL;
	begin = file->lines[line - 1];
	end = (uint64_t)line < file->count ? file->lines[line] : file->length;
	while (begin < end && is_space(file->text[begin]))
		begin++;
	while (end > begin && is_space(file->text[end - 1]))
		end--;
	*ret_length = end - begin;
	return file->text + begin;
}
