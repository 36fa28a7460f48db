/* SPDX-License-Identifier: MIT */
#include "injector/hijack/agent_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "injector/deadline.h"
#include "injector/owned.h"
#include "injector/target/procfs.h"

#define AGENT_SIZE_MAX (64u << 20)

_Static_assert(sizeof("/proc/self/") + 64 * 2 + sizeof("fd/-2147483648") <
		       BOOT_PATH,
	       "a name fits");

static const char *const directories[] = { "/tmp", "/var/tmp", "/dev/shm" };

#define DIRECTORIES (sizeof(directories) / sizeof(directories[0]))

/* Opens a directory as the target would: its symlinks lead nowhere else. */
static int open_in_root(pid_t pid, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	char root_path[64];
	owned_fd root = -1;

	snprintf(root_path, sizeof(root_path), "/proc/%d/root", pid);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* Does the process that started then have that id in this /proc? */
static bool shows(int proc, pid_t name, uint64_t start_time)
{
	char path[32], text[1024] = "";
	struct procfs_stat stat;
	owned_fd fd = -1;

	snprintf(path, sizeof(path), "%d/stat", name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
	       procfs_parse_stat(text, &stat) && stat.start_time == start_time;
}

/* A /proc of a pid namespace that the target is not in has no "self". */
bool agent_file_proc_usable(pid_t pid)
{
	owned_fd proc = open_in_root(pid, "/proc");
	struct procfs_status status;
	struct procfs_stat stat;
	struct statfs fs;

	if (proc < 0 || fstatfs(proc, &fs) || fs.f_type != PROC_SUPER_MAGIC ||
	    !procfs_status(pid, &status) || !procfs_stat(pid, &stat))
		return false;
	for (unsigned i = 0; i < status.names; i++)
		if (shows(proc, status.name[i], stat.start_time))
			return true;
	/* Kernels built without pid namespaces name none. */
	return !status.names && shows(proc, pid, stat.start_time);
}

/* sendfile first; some file systems (and pipes of tests) cannot. */
static int copy_file(int from, int to, struct error *err)
{
	struct stat file;
	off_t offset = 0;

	if (fstat(from, &file) || !S_ISREG(file.st_mode) || file.st_size <= 0 ||
	    file.st_size > AGENT_SIZE_MAX)
		return error_set(err, ERROR_ATTACH,
				 "the agent is not a file of sensible size");
	while (offset < file.st_size) {
		ssize_t sent = sendfile(to, from, &offset,
					(size_t)(file.st_size - offset));

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return error_set_errno(err, ERROR_ATTACH, errno,
					       "copying the agent");
	}
	return 0;
}

/* glibc takes a library of the same name for the same library, and the memfd
 * of an agent that is about to leave, or had to stay, may have had the same
 * number. So no two attaches spell the name alike: the bits of the clock. */
static void spell_fd(char *path, size_t size, int fd)
{
	size_t used = (size_t)snprintf(path, size, "/proc/self/");

	for (uint64_t bits = monotonic_ns(); bits; bits >>= 1)
		used += (size_t)snprintf(path + used, size - used, "%s",
					 bits & 1 ? "./" : "/");
	snprintf(path + used, size - used, "fd/%d", fd);
}

int agent_file_memfd(struct agent_file *file, const struct process_id *id,
		     int agent_fd, int memfd, struct error *err)
{
	owned_fd copy = (int)syscall(SYS_pidfd_getfd, id->pidfd, memfd, 0);
	struct stat is;

	if (copy < 0)
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "pidfd_getfd of the memfd");
	/* The number comes out of the target's memory: only what lies in
	 * memory has seals, and writing to anything else could block; and what
	 * has a name or bytes is the program's. */
	if (fcntl(copy, F_GET_SEALS) < 0 || fstat(copy, &is) || is.st_nlink ||
	    is.st_size)
		return error_set(err, ERROR_ATTACH,
				 "the target gave another descriptor than "
				 "asked for");
	if (copy_file(agent_fd, copy, err))
		return -1;
	spell_fd(file->path, sizeof(file->path), memfd);
	return 0;
}

/* One that others may write to must be sticky, or they could swap our file;
 * and text must be mappable from it. */
static bool usable_directory(int fd)
{
	struct statvfs fs;
	struct stat dir;

	return fstat(fd, &dir) == 0 && fstatvfs(fd, &fs) == 0 &&
	       !(fs.f_flag & (ST_NOEXEC | ST_RDONLY)) &&
	       (!(dir.st_mode & S_IWOTH) || (dir.st_mode & S_ISVTX));
}

bool agent_file_possible(pid_t pid)
{
	for (size_t i = 0; i < DIRECTORIES; i++) {
		owned_fd dir = open_in_root(pid, directories[i]);

		if (dir >= 0 && usable_directory(dir))
			return true;
	}
	return false;
}

/* Readable by the target's user alone, writable by nobody. */
static int create_in(struct agent_file *file, pid_t pid, int agent_fd,
		     const char *directory, struct error *err)
{
	owned_fd dir = open_in_root(pid, directory);
	struct procfs_status status;
	owned_fd fd = -1;

	if (dir < 0 || !usable_directory(dir))
		return error_set(err, ERROR_ATTACH, "%s cannot be used",
				 directory);
	if (!procfs_status(pid, &status))
		return error_set(err, ERROR_TARGET_EXIT, "process %d ended",
				 pid);
	snprintf(file->name, sizeof(file->name), ".nopdb-%d-%llx", pid,
		 (unsigned long long)monotonic_ns());
	fd = openat(dir, file->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
	if (fd < 0)
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "creating a file in the target's %s",
				       directory);
	file->directory = steal_fd(&dir);
	if ((status.uid != geteuid() && fchown(fd, status.uid, status.gid)) ||
	    fchmod(fd, 0500)) {
		agent_file_remove(file);
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "giving the agent's file away");
	}
	if (copy_file(agent_fd, fd, err)) {
		agent_file_remove(file);
		return -1;
	}
	snprintf(file->path, sizeof(file->path), "%s/%s", directory,
		 file->name);
	return 0;
}

int agent_file_create(struct agent_file *file, pid_t pid, int agent_fd,
		      struct error *err)
{
	for (size_t i = 0; i < DIRECTORIES; i++)
		if (!create_in(file, pid, agent_fd, directories[i], err))
			return 0;
	return error_wrap(err, "no place for the agent's file");
}

void agent_file_remove(struct agent_file *file)
{
	if (file->directory < 0)
		return;
	unlinkat(file->directory, file->name, 0);
	close(file->directory);
	file->directory = -1;
}
