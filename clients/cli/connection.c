/* SPDX-License-Identifier: MIT */
#include "clients/cli/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clients/cli/launch.h"

#define SYSTEM_SOCKET "/run/nopdb/sock"

struct socket_path {
	char text[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* Is it a directory of this user that nobody else may write to? */
static bool own_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* $XDG_RUNTIME_DIR/nopdb/sock, when that directory is this user's own: sudo
 * may hand on another user's. */
static bool runtime_path(struct socket_path *ret_path)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	int n;

	if (!dir || dir[0] != '/' || !own_directory(dir))
		return false;
	n = snprintf(ret_path->text, sizeof(ret_path->text), "%s/nopdb/sock",
		     dir);
	return n > 0 && (size_t)n < sizeof(ret_path->text);
}

/* /tmp/nopdb-UID/sock. Anyone may make that directory before us: an existing
 * one must be ours. */
static int temporary_path(struct socket_path *ret_path, struct error *err)
{
	struct stat st;
	char dir[64];

	snprintf(dir, sizeof(dir), "/tmp/nopdb-%u", (unsigned)geteuid());
	if (lstat(dir, &st) == 0 && !own_directory(dir)) {
		error_set(err, ERROR_NOT_PERMITTED,
			  "%s: not a directory of this user alone", dir);
		return error_remedy(err, "remove it, or name a socket with "
					 "--socket");
	}
	snprintf(ret_path->text, sizeof(ret_path->text), "%s/sock", dir);
	return 0;
}

/* The daemon of this user or of root: another could read what we ask for and
 * tell us lies. root may talk to anyone's. */
static int check_peer(int fd, const char *path, struct error *err)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "%s", path);
	if (peer.uid == geteuid() || peer.uid == 0 || geteuid() == 0)
		return 0;
	error_set(err, ERROR_NOT_PERMITTED,
		  "%s: the daemon belongs to another user (uid %u)", path,
		  (unsigned)peer.uid);
	return error_remedy(err, "name a socket of your own with --socket");
}

/* Returns a connected descriptor, or -1 with errno. */
static int try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int saved;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Nobody listens there, as opposed to: somebody does, but not for us. */
static bool nobody_there(int error)
{
	return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
}

static int try_checked(const char *path, int *ret_fd, struct error *err)
{
	int fd = try_connect(path);

	if (fd < 0)
		return -1;
	if (check_peer(fd, path, err) < 0) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

/* Connects to a path, starting a daemon there when nobody listens. */
static int connect_or_launch(const char *path, int *ret_fd, struct error *err)
{
	struct launch launch;
	unsigned waited = 0;

	if (try_checked(path, ret_fd, err) == 0)
		return 0;
	if (errno == EPERM && err->code != ERROR_NONE)
		return -1;
	if (errno == EACCES) {
		error_set_errno(err, ERROR_NOT_PERMITTED, errno, "%s", path);
		return error_remedy(err, "name a socket of your own with "
					 "--socket");
	}
	if (!nobody_there(errno))
		return error_set_errno(err, ERROR_NO_DAEMON, errno, "%s", path);
	if (launch_daemon(path, &launch, err) < 0)
		return -1;
	while (launch_wait(&launch, &waited)) {
		if (try_checked(path, ret_fd, err) == 0) {
			launch_release(&launch);
			return 0;
		}
		if (err->code != ERROR_NONE)
			break;
	}
	if (err->code == ERROR_NONE)
		launch_failed(&launch, path, err);
	launch_release(&launch);
	return -1;
}

/* A path that a process with another working directory understands, too. */
static int absolute(const char *path, struct socket_path *ret_path,
		    struct error *err)
{
	char cwd[sizeof(ret_path->text)] = "";
	int n;

	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return error_set_errno(err, ERROR_SYSTEM, errno, "%s", path);
	n = snprintf(ret_path->text, sizeof(ret_path->text), "%s%s%s", cwd,
		     path[0] == '/' ? "" : "/", path);
	if (n < 0 || (size_t)n >= sizeof(ret_path->text))
		return error_set(err, ERROR_USAGE,
				 "socket %s: longer than %zu bytes", path,
				 sizeof(ret_path->text) - 1);
	return 0;
}

/* The places to look at when none was named. */
static int open_default(int *ret_fd, struct error *err)
{
	struct socket_path places[2];
	size_t count = 0;
	bool seen = false;

	if (runtime_path(&places[count]))
		count++;
	if (temporary_path(&places[count], err) == 0)
		count++;
	else if (count == 0)
		return -1;
	error_clear(err);
	for (size_t i = 0; i < count; i++) {
		if (try_checked(places[i].text, ret_fd, err) == 0)
			return 0;
		if (err->code != ERROR_NONE)
			return -1;
		seen = seen || exists(places[i].text);
	}
	if (!seen && try_checked(SYSTEM_SOCKET, ret_fd, err) == 0)
		return 0;
	error_clear(err);
	return connect_or_launch(places[0].text, ret_fd, err);
}

int connection_open(const char *path, int *ret_fd, struct error *err)
{
	struct socket_path place;

	if (!path)
		path = getenv("NOPDB_SOCKET");
	if (!path || !*path)
		return open_default(ret_fd, err);
	if (absolute(path, &place, err) < 0)
		return -1;
	return connect_or_launch(place.text, ret_fd, err);
}
