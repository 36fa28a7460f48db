/* SPDX-License-Identifier: MIT */
#include "injector/stack/kernel.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injector/owned.h"
#include "injector/target/process.h"
#include "injector/target/procfs.h"

static ssize_t read_task(pid_t pid, pid_t tid, const char *name, char *buf,
			 size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "task/%d/%s", tid, name);
	return procfs_read(pid, path, buf, size);
}

/* Numbers that begin with 0x; how many there are. */
static int parse_words(const char *text, uint64_t *words, int most)
{
	int count = 0;
	char *end;

	while (count < most) {
		words[count] = strtoull(text, &end, 16);
		if (end == text)
			break;
		count++;
		text = end;
	}
	return count;
}

/* proc(5): "running", or number, six arguments, SP and PC; -1 instead of a
 * number, without arguments, when it waits outside a call. */
static void parse_syscall(const char *text, struct kernel_thread *thread)
{
	uint64_t word[8];
	char *end;
	long number = strtol(text, &end, 10);
	int count = end == text ? 0 : parse_words(end, word, 8);

	thread->syscall = -1;
	if (count == 2 && number == -1) {
		thread->sp = word[0];
		thread->pc = word[1];
		thread->waiting = true;
	} else if (count == 8) {
		thread->syscall = number;
		memcpy(thread->argument, word, sizeof(thread->argument));
		thread->sp = word[6];
		thread->pc = word[7];
		thread->waiting = true;
	}
}

/* Time on the CPU, time waiting for it, and the number of slices. */
static bool read_slices(pid_t pid, pid_t tid, uint64_t *ret_slices)
{
	char text[128];

	return read_task(pid, tid, "schedstat", text, sizeof(text)) > 0 &&
	       sscanf(text, "%*u %*u %" SCNu64, ret_slices) == 1;
}

int kernel_tasks(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_task(int tasks, pid_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", tid, name);
	return openat(tasks, path, O_RDONLY | O_CLOEXEC);
}

/* From its beginning: such a file is made anew for each read there. */
static bool read_start(int fd, char *buf, size_t size)
{
	ssize_t got = pread(fd, buf, size - 1, 0);

	buf[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static uint64_t read_count(int fd)
{
	char text[128];
	const char *last;

	if (!read_start(fd, text, sizeof(text)))
		return 0;
	last = strrchr(text, ' ');
	return last ? strtoull(last, NULL, 10) : 0;
}

bool kernel_watch_open(int tasks, pid_t tid, struct kernel_watch *ret_watch)
{
	owned_fd count = open_task(tasks, tid, "schedstat");
	owned_fd call = count >= 0 ? open_task(tasks, tid, "syscall") : -1;

	if (call < 0)
		return false;
	*ret_watch = (struct kernel_watch){ .tid = tid,
					    .count = steal_fd(&count),
					    .call = steal_fd(&call) };
	return true;
}

void kernel_watch_close(struct kernel_watch *watch)
{
	close(watch->count);
	close(watch->call);
}

bool kernel_watch_begin(const struct kernel_watch *watch,
			struct kernel_thread *ret_thread)
{
	struct kernel_thread thread = { .syscall = -1 };
	char text[512];

	/* Counted first: what happens from here on is seen. */
	thread.slices = read_count(watch->count);
	if (!thread.slices || !read_start(watch->call, text, sizeof(text)))
		return false;
	parse_syscall(text, &thread);
	if (!thread.waiting)
		return false;
	*ret_thread = thread;
	return true;
}

bool kernel_watch_still(const struct kernel_watch *watch,
			const struct kernel_thread *before)
{
	return read_count(watch->count) == before->slices;
}

bool kernel_state(pid_t pid, pid_t tid, struct kernel_thread *thread)
{
	struct procfs_stat stat;
	char text[1024];

	if (read_task(pid, tid, "stat", text, sizeof(text)) <= 0 ||
	    !procfs_parse_stat(text, &stat))
		return false;
	thread->state = stat.state;
	thread->cpu = stat.processor;
	return true;
}

bool kernel_look(pid_t pid, pid_t tid, struct kernel_thread *ret_thread)
{
	struct kernel_thread thread = { .syscall = -1 };
	char text[512];

	/* Counted first: what happens from here on is seen by kernel_still. */
	if (!read_slices(pid, tid, &thread.slices))
		thread.slices = 0;
	if (!kernel_state(pid, tid, &thread))
		return false;
	if (thread.state != 'R' &&
	    read_task(pid, tid, "syscall", text, sizeof(text)) > 0)
		parse_syscall(text, &thread);
	*ret_thread = thread;
	return true;
}

bool kernel_same_place(const struct kernel_thread *before,
		       const struct kernel_thread *after)
{
	return before->waiting && after->waiting &&
	       before->syscall == after->syscall && before->sp == after->sp &&
	       before->pc == after->pc &&
	       !memcmp(before->argument, after->argument,
		       sizeof(before->argument));
}

bool kernel_same(const struct kernel_thread *before,
		 const struct kernel_thread *after)
{
	return before->slices == after->slices &&
	       kernel_same_place(before, after);
}

/* The count of slices grows whenever a thread gets the CPU. Kernels that do
 * not count leave the place as a sign. */
bool kernel_still(pid_t pid, pid_t tid, const struct kernel_thread *before)
{
	struct kernel_thread after;
	uint64_t slices;

	if (!before->waiting)
		return false;
	if (before->slices)
		return read_slices(pid, tid, &slices) &&
		       slices == before->slices;
	return kernel_look(pid, tid, &after) && kernel_same(before, &after);
}

static void read_word(pid_t pid, pid_t tid, const char *name, char *buf,
		      size_t size)
{
	if (read_task(pid, tid, name, buf, size) <= 0)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

void kernel_name(pid_t pid, pid_t tid, char *buf, size_t size)
{
	read_word(pid, tid, "comm", buf, size);
}

/* "0" is said of a thread that runs, and by kernels that do not tell. */
void kernel_wchan(pid_t pid, pid_t tid, char *buf, size_t size)
{
	read_word(pid, tid, "wchan", buf, size);
	if (!strcmp(buf, "0"))
		buf[0] = '\0';
}

static int compare(const void *left, const void *right)
{
	const pid_t a = *(const pid_t *)left, b = *(const pid_t *)right;

	return a < b ? -1 : a > b;
}

/* Fills list, as far as there is room; the number of all threads. */
static size_t list_threads(pid_t pid, pid_t *list, size_t max)
{
	struct dirent *entry;
	size_t count = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (count < max)
			list[count] = (pid_t)strtol(entry->d_name, NULL, 10);
		count++;
	}
	closedir(dir);
	return count;
}

int kernel_threads(pid_t pid, size_t max, pid_t **ret_list, size_t *ret_count,
		   size_t *ret_more, struct error *err)
{
	pid_t *list = calloc(max ? max : 1, sizeof(*list));
	size_t count;

	if (!list)
		return error_set(err, ERROR_NO_MEMORY, "list of threads");
	errno = ESRCH;
	count = list_threads(pid, list, max);
	if (!count) {
		free(list);
		return process_unread(pid, errno, err);
	}
	*ret_more = count > max ? count - max : 0;
	*ret_count = count - *ret_more;
	qsort(list, *ret_count, sizeof(*list), compare);
	*ret_list = list;
	return 0;
}

/* proc(5): /proc/PID/task/TID/children, where the kernel was built with it. */
static size_t add_children(pid_t pid, pid_t tid, pid_t *list, size_t max)
{
	char text[65536], *at = text, *end;
	size_t count = 0;

	if (read_task(pid, tid, "children", text, sizeof(text)) <= 0)
		return 0;
	while (count < max) {
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		if (child > 0 && child <= INT32_MAX)
			list[count++] = (pid_t)child;
		at = end;
	}
	return count;
}

size_t kernel_children(pid_t pid, const pid_t *tids, size_t tid_count,
		       pid_t *list, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < tid_count && count < max; i++)
		count += add_children(pid, tids[i], list + count, max - count);
	return count;
}
