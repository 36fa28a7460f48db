/* SPDX-License-Identifier: MIT */
#include "injector/stack/descriptors.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "injector/owned.h"
#include "injector/stack/socket_peer.h"
#include "injector/target/procfs.h"

#define FDINFO_BYTES 4096
#define LOCKS_BYTES (1u << 20)

void descriptors_release(struct descriptors *descriptors)
{
	free(descriptors->list);
	memset(descriptors, 0, sizeof(*descriptors));
}

/* ---- one descriptor
 * ---------------------------------------------------------- */

static bool inode_of(const char *link, const char *kind, uint64_t *ret_inode)
{
	size_t size = strlen(kind);

	return !strncmp(link, kind, size) &&
	       sscanf(link + size, ":[%" SCNu64 "]", ret_inode) == 1;
}

/* A line "NAME:<blank>NUMBER" of /proc/PID/fdinfo/FD. */
static bool info_number(pid_t pid, int fd, const char *name, int base,
			int64_t *ret_number)
{
	char text[FDINFO_BYTES], path[64];
	const char *at;

	snprintf(path, sizeof(path), "fdinfo/%d", fd);
	if (procfs_read(pid, path, text, sizeof(text)) <= 0)
		return false;
	at = strstr(text, name);
	if (!at || (at != text && at[-1] != '\n'))
		return false;
	*ret_number = strtoll(at + strlen(name), NULL, base);
	return true;
}

bool descriptor_read(pid_t pid, int fd, struct descriptor *ret_descriptor)
{
	struct descriptor found = { .kind = DESCRIPTOR_UNKNOWN };
	char name[64];
	int64_t number;

	snprintf(name, sizeof(name), "fd/%d", fd);
	if (fd < 0 || !procfs_link(pid, name, found.path, sizeof(found.path)))
		return false;
	if (inode_of(found.path, "pipe", &found.inode)) {
		found.kind = DESCRIPTOR_PIPE;
	} else if (inode_of(found.path, "socket", &found.inode)) {
		found.kind = DESCRIPTOR_SOCKET;
		socket_describe(pid, &found);
	} else if (found.path[0] == '/') {
		found.kind = DESCRIPTOR_FILE;
	} else {
		found.kind = DESCRIPTOR_EVENT;
		if (info_number(pid, fd, "Pid:", 10, &number) && number > 0)
			found.pidfd = (pid_t)number;
	}
	*ret_descriptor = found;
	return true;
}

/* ---- all processes
 * ------------------------------------------------------------ */

static bool add_end(struct descriptors *all, const struct descriptor_end *end)
{
	struct descriptor_end *list;
	size_t room;

	if (all->count == all->room) {
		room = all->room ? all->room * 2 : 1024;
		list = room > DESCRIPTORS_MAX
			       ? NULL
			       : realloc(all->list, room * sizeof(*list));
		if (!list)
			return false;
		all->list = list;
		all->room = room;
	}
	all->list[all->count++] = *end;
	return true;
}

static bool add_process(struct descriptors *all, pid_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	bool room = true;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return true;
	while (room && (entry = readdir(dir))) {
		struct descriptor_end end = { .pid = pid };
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, link,
					  sizeof(link) - 1);

		if (size <= 0)
			continue;
		link[size] = '\0';
		end.fd = (int)strtol(entry->d_name, NULL, 10);
		end.pipe = inode_of(link, "pipe", &end.inode);
		if (end.pipe || inode_of(link, "socket", &end.inode))
			room = add_end(all, &end);
	}
	closedir(dir);
	return room;
}

static int by_inode(const void *left, const void *right)
{
	const struct descriptor_end *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static void take(struct descriptors *all)
{
	struct dirent *entry;
	bool room = true;
	DIR *dir;

	all->taken = true;
	dir = opendir("/proc");
	if (!dir)
		return;
	while (room && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			room = add_process(
				all, (pid_t)strtol(entry->d_name, NULL, 10));
	closedir(dir);
	if (all->count)
		qsort(all->list, all->count, sizeof(*all->list), by_inode);
}

static size_t first_of(const struct descriptors *all, uint64_t inode)
{
	size_t low = 0, high = all->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all->list[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Can this end of a pipe do what the other side waits for? */
static bool serves(const struct descriptor_end *end, bool reads)
{
	int64_t flags;

	if (!info_number(end->pid, end->fd, "flags:", 8, &flags))
		return false;
	flags &= O_ACCMODE;
	return flags == O_RDWR || flags == (reads ? O_WRONLY : O_RDONLY);
}

pid_t descriptor_peer(struct descriptors *all, pid_t self,
		      const struct descriptor *descriptor, bool reads)
{
	bool pipe = descriptor->kind == DESCRIPTOR_PIPE;
	uint64_t inode = descriptor->inode;
	pid_t found = 0;

	if (!pipe)
		inode = socket_peer_inode(self, descriptor);
	if (!inode)
		return 0;
	if (!all->taken)
		take(all);
	for (size_t i = first_of(all, inode);
	     i < all->count && all->list[i].inode == inode; i++) {
		const struct descriptor_end *end = &all->list[i];

		if (end->pipe != pipe || (pipe && !serves(end, reads)))
			continue;
		if (end->pid != self)
			return end->pid;
		found = self;
	}
	return found;
}

/* ---- file locks, names
 * ---------------------------------------------------------- */

/* A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 123 08:01:456 0 EOF";
 * those that wait have "->" behind the number. */
static pid_t lock_holder(const char *line, const struct stat *file)
{
	unsigned major_number, minor_number;
	unsigned long long inode;
	int pid;

	if (strstr(line, "->") ||
	    sscanf(line, "%*d: %*s %*s %*s %d %x:%x:%llu", &pid, &major_number,
		   &minor_number, &inode) != 4)
		return 0;
	return inode == file->st_ino && major_number == major(file->st_dev) &&
			       minor_number == minor(file->st_dev)
		       ? pid
		       : 0;
}

pid_t descriptor_locker(pid_t self, int fd)
{
	owned_mem char *text = NULL;
	char path[64], *save, *line;
	struct stat file;
	size_t size;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", self, fd);
	if (stat(path, &file) != 0)
		return 0;
	text = procfs_read_all(self, "../locks", LOCKS_BYTES, &size);
	line = text ? strtok_r(text, "\n", &save) : NULL;
	for (; line; line = strtok_r(NULL, "\n", &save)) {
		pid = lock_holder(line, &file);
		if (pid > 0)
			return pid;
	}
	return 0;
}

void process_name(pid_t pid, char *buf, size_t size)
{
	if (procfs_read(pid, "comm", buf, size) <= 0)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}
