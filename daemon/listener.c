/* SPDX-License-Identifier: MIT */
#include "daemon/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 128
#define LOCK_TRIES 60
#define LOCK_PAUSE_NS (50 * 1000 * 1000)

/* Keeps the path, absolute: the daemon changes its working directory. */
static int take_path(struct listener *listener, const char *path,
		     struct error *err)
{
	char cwd[PATH_MAX] = "";
	char full[2 * PATH_MAX];

	if (path[0] != '/' && path[0] && !getcwd(cwd, sizeof(cwd)))
		return error_set_errno(err, ERROR_SYSTEM, errno, "getcwd");
	snprintf(full, sizeof(full), "%s%s%s", cwd, cwd[0] ? "/" : "", path);
	if (strlen(full) == 0 || strlen(full) >= sizeof(listener->path)) {
		error_set(err, ERROR_USAGE, "socket path of %zu bytes: %.80s",
			  strlen(full), full);
		return error_remedy(err, "give a path of 1 to %zu bytes",
				    sizeof(listener->path) - 1);
	}
	memcpy(listener->path, full, strlen(full) + 1);
	snprintf(listener->lock_path, sizeof(listener->lock_path), "%s.lock",
		 listener->path);
	return 0;
}

/* ---- the directory
 * ----------------------------------------------------------- */

static bool owner_trusted(const struct stat *st)
{
	return st->st_uid == geteuid() || st->st_uid == 0;
}

/* Others may not be able to replace what lies in the directory: it is ours or
 * root's, and writable by others only with the sticky bit, as /tmp. */
static int check_directory(const char *dir, struct error *err)
{
	struct stat link, st;

	if (lstat(dir, &link) || stat(dir, &st))
		return error_set_errno(err, ERROR_SYSTEM, errno, "directory %s",
				       dir);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERROR_SYSTEM, "%s is not a directory",
				 dir);
	if (!owner_trusted(&link) || !owner_trusted(&st)) {
		error_set(err, ERROR_NOT_PERMITTED,
			  "directory %s belongs to user %u", dir,
			  (unsigned)st.st_uid);
		return error_remedy(err, "give --socket in your own directory");
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX)) {
		error_set(err, ERROR_NOT_PERMITTED,
			  "directory %s is writable by others", dir);
		return error_remedy(err, "chmod 700 %s", dir);
	}
	return 0;
}

static void name_directory(const char *path, char dir[LISTENER_PATH])
{
	size_t length = (size_t)(strrchr(path, '/') - path);

	snprintf(dir, LISTENER_PATH, "%.*s", length ? (int)length : 1, path);
}

/* Makes the socket's directory (0700) unless it is there, and checks it. */
static int prepare_directory(struct listener *listener, struct error *err)
{
	char dir[LISTENER_PATH];

	name_directory(listener->path, dir);
	listener->made_directory = !mkdir(dir, 0700);
	if (!listener->made_directory && errno != EEXIST)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "make directory %s", dir);
	return check_directory(dir, err);
}

/* ---- the lock
 * ---------------------------------------------------------------- */

/* Locks the file and makes sure that the path still names it: a daemon that
 * leaves unlinks the file while it holds the lock. Returns the descriptor, or
 * -1 with errno EWOULDBLOCK when another holds it. */
static int try_lock(const char *path)
{
	struct stat opened, named;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int saved;

	if (fd < 0)
		return -1;
	if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &opened) &&
	    !stat(path, &named)) {
		if (opened.st_ino == named.st_ino &&
		    opened.st_dev == named.st_dev)
			return fd;
		errno = EWOULDBLOCK;
	} else if (errno == ENOENT) {
		errno = EWOULDBLOCK;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result = -1;

	if (fd < 0)
		return -1;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	/* EAGAIN: somebody listens, with a full backlog. */
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    errno == EAGAIN)
		result = 0;
	close(fd);
	return result;
}

static int busy(const char *path, struct error *err)
{
	error_set(err, ERROR_BUSY, "another daemon serves %s", path);
	return error_remedy(err, "use it, or give another --socket");
}

static int take_lock(struct listener *listener, struct error *err)
{
	const struct timespec pause = { 0, LOCK_PAUSE_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		listener->lock_fd = try_lock(listener->lock_path);
		if (listener->lock_fd >= 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return error_set_errno(err, ERROR_SYSTEM, errno,
					       "lock file %s",
					       listener->lock_path);
		if (!connect_to(listener->path))
			break;
		nanosleep(&pause, NULL);
	}
	return busy(listener->path, err);
}

/* ---- the socket
 * -------------------------------------------------------------- */

/* Removes what a daemon left that did not end well. */
static int remove_stale(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		return error_set_errno(err, ERROR_SYSTEM, errno, "%s", path);
	}
	if (!S_ISSOCK(st.st_mode)) {
		error_set(err, ERROR_SYSTEM, "%s exists and is not a socket",
			  path);
		return error_remedy(err, "give another --socket");
	}
	if (!connect_to(path))
		return busy(path, err);
	if (unlink(path))
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "remove stale %s", path);
	return 0;
}

static int bind_private(int fd, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask = umask(0177);
	int result;

	memcpy(addr.sun_path, path, strlen(path) + 1);
	result = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	return result;
}

static int bind_socket(struct listener *listener, struct error *err)
{
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "socket");
	if (bind_private(fd, listener->path) || listen(fd, BACKLOG) ||
	    lstat(listener->path, &st)) {
		error_set_errno(err, ERROR_SYSTEM, errno, "listen at %s",
				listener->path);
		close(fd);
		return -1;
	}
	listener->fd = fd;
	listener->dev = st.st_dev;
	listener->ino = st.st_ino;
	return 0;
}

int listener_open(struct listener *listener, const char *path,
		  struct error *err)
{
	*listener = (struct listener)LISTENER_INIT;
	if (take_path(listener, path, err) ||
	    prepare_directory(listener, err) || take_lock(listener, err))
		return -1;
	if (!remove_stale(listener->path, err) && !bind_socket(listener, err))
		return 0;
	listener_close(listener);
	return -1;
}

void listener_adopt(struct listener *ret_listener, int fd, const char *path)
{
	*ret_listener = (struct listener)LISTENER_INIT;
	ret_listener->fd = fd;
	snprintf(ret_listener->path, sizeof(ret_listener->path), "%s", path);
}

int listener_share(const struct listener *listener, struct error *err)
{
	char dir[LISTENER_PATH];

	if (listener->lock_fd < 0)
		return 0; /* adopted: its owner says who may connect */
	/* The service manager's own unit says who may. */
	if (!listener->ino)
		return 0;
	name_directory(listener->path, dir);
	if (chmod(listener->path, 0666) ||
	    (listener->made_directory && chmod(dir, 0755)))
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "let all users connect to %s",
				       listener->path);
	return 0;
}

void listener_close(struct listener *listener)
{
	struct stat st;

	if (listener->ino && !lstat(listener->path, &st) &&
	    st.st_ino == listener->ino && st.st_dev == listener->dev)
		unlink(listener->path);
	listener->ino = 0;
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	if (listener->lock_fd >= 0) {
		unlink(listener->lock_path);
		close(listener->lock_fd);
	}
	listener->lock_fd = -1;
}
