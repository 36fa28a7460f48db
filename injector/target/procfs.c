/* SPDX-License-Identifier: MIT */
#include "injector/target/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injector/owned.h"

#define PROCFS_NAME 96
#define PROCFS_CHUNK 65536

static int procfs_open(pid_t pid, const char *name)
{
	char path[PROCFS_NAME];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* Reads until size bytes or the end; procfs may return less than asked. */
static ssize_t read_full(int fd, char *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd, buf + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static ssize_t read_text(int fd, char *buf, size_t size)
{
	ssize_t got = fd < 0 ? -1 : read_full(fd, buf, size - 1);

	if (got >= 0)
		buf[got] = '\0';
	return got;
}

ssize_t procfs_read(pid_t pid, const char *name, char *buf, size_t size)
{
	owned_fd fd = procfs_open(pid, name);

	return read_text(fd, buf, size);
}

char *procfs_read_all(pid_t pid, const char *name, size_t max, size_t *ret_size)
{
	owned_fd fd = procfs_open(pid, name);
	size_t size = 0, room = PROCFS_CHUNK;
	char *text, *more;
	ssize_t got;

	if (fd < 0)
		return NULL;
	text = malloc(room + 1);
	while (text) {
		got = read_full(fd, text + size, room - size);
		if (got < 0)
			break;
		size += (size_t)got;
		if (size < room || room >= max) {
			text[size] = '\0';
			*ret_size = size;
			return text;
		}
		room = room * 2 > max ? max : room * 2;
		more = realloc(text, room + 1);
		if (!more)
			break;
		text = more;
	}
	free(text);
	return NULL;
}

bool procfs_link(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[PROCFS_NAME];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	got = readlink(path, buf, size - 1);
	if (got < 0)
		return false;
	buf[got] = '\0';
	return true;
}

/* PF_EXITING of include/linux/sched.h, since Linux 2.6. */
#define FLAG_EXITING 0x4u

bool procfs_parse_stat(const char *text, struct procfs_stat *ret_stat)
{
	const char *field = strrchr(text, ')');
	char state;
	unsigned flags, threads;
	unsigned long long start;
	int parent, processor = -1;

	/* Fields 3 (state), 4 (ppid), 9 (flags), 20 (num_threads), 22
	 * (starttime), 39 (processor): proc(5). */
	if (!field ||
	    sscanf(field + 1,
		   " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u "
		   "%*u %*d %*d %*d %*d %u %*d %llu "
		   "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %*s %*s %*s %d",
		   &state, &parent, &flags, &threads, &start, &processor) < 5)
		return false;
	ret_stat->state = state;
	ret_stat->parent = parent;
	ret_stat->exiting = flags & FLAG_EXITING;
	ret_stat->threads = threads;
	ret_stat->start_time = start;
	ret_stat->processor = processor;
	return true;
}

bool procfs_stat(pid_t pid, struct procfs_stat *ret_stat)
{
	char text[1024];

	ssize_t got = procfs_read(pid, "stat", text, sizeof(text));

	if (got > 0 && procfs_parse_stat(text, ret_stat))
		return true;
	if (got >= 0)
		errno = ESRCH;
	return false;
}

/* The value after "name:" at the start of a line, or NULL. The first line,
 * Name, is the target's to choose, but holds no newline (fs/proc/array.c
 * escapes it). */
static const char *status_field(const char *text, const char *name)
{
	size_t length = strlen(name);
	const char *line = text;

	while (line) {
		if (!strncmp(line, name, length) && line[length] == ':')
			return line + length + 1;
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return NULL;
}

/* A field in kB, in bytes; 0 where it is absent. */
static uint64_t status_bytes(const char *text, const char *name)
{
	const char *value = status_field(text, name);

	return value ? (uint64_t)strtoull(value, NULL, 10) << 10 : 0;
}

static bool status_has_word(const char *value, const char *word)
{
	const char *end = value ? strchr(value, '\n') : NULL;
	const char *found = value ? strstr(value, word) : NULL;

	return found && (!end || found < end);
}

static void parse_names(const char *value, struct procfs_status *status)
{
	const char *end = value ? value + strcspn(value, "\n") : NULL;

	while (value && value < end && status->names < PROCFS_NAMES) {
		char *after;
		long name = strtol(value, &after, 10);

		if (after == value || after > end)
			break;
		status->name[status->names++] = (pid_t)name;
		value = after;
	}
}

bool procfs_parse_status(const char *text, struct procfs_status *ret_status)
{
	struct procfs_status status = { 0 };
	const char *tgid = status_field(text, "Tgid");
	const char *tracer = status_field(text, "TracerPid");
	const char *uid = status_field(text, "Uid");
	const char *gid = status_field(text, "Gid");
	const char *seccomp = status_field(text, "Seccomp");
	const char *filters = status_field(text, "Seccomp_filters");
	const char *fds = status_field(text, "FDSize");
	const char *capable = status_field(text, "CapEff");

	if (!tgid || sscanf(tgid, "%d", &status.tgid) != 1 || !uid ||
	    sscanf(uid, "%*u %u", &status.uid) != 1 || !gid ||
	    sscanf(gid, "%*u %u", &status.gid) != 1)
		return false;
	if (tracer)
		status.tracer = (pid_t)strtol(tracer, NULL, 10);
	if (seccomp)
		status.seccomp = (int)strtol(seccomp, NULL, 10);
	if (filters)
		status.filters = (unsigned)strtoul(filters, NULL, 10);
	if (fds)
		status.fd_table = (unsigned)strtoul(fds, NULL, 10);
	if (capable)
		status.may_lock =
			strtoull(capable, NULL, 16) >> CAP_IPC_LOCK & 1;
	status.size = status_bytes(text, "VmSize");
	status.locked = status_bytes(text, "VmLck");
	parse_names(status_field(text, "NSpid"), &status);
	status.shadow_stack = status_has_word(
		status_field(text, "x86_Thread_features"), "shstk");
	*ret_status = status;
	return true;
}

bool procfs_status_of(int fd, struct procfs_status *ret_status)
{
	char text[8192];
	ssize_t got = read_text(fd, text, sizeof(text));

	if (got > 0 && procfs_parse_status(text, ret_status))
		return true;
	if (got >= 0)
		errno = ESRCH;
	return false;
}

bool procfs_status(pid_t pid, struct procfs_status *ret_status)
{
	owned_fd fd = procfs_open(pid, "status");

	return procfs_status_of(fd, ret_status);
}

int procfs_thread_status_open(pid_t pid, pid_t tid)
{
	char name[64];

	snprintf(name, sizeof(name), "task/%d/status", tid);
	return procfs_open(pid, name);
}

bool procfs_thread_status(pid_t pid, pid_t tid,
			  struct procfs_status *ret_status)
{
	owned_fd fd = procfs_thread_status_open(pid, tid);

	return procfs_status_of(fd, ret_status);
}
