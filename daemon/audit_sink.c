/* SPDX-License-Identifier: MIT */
#include "daemon/audit_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSLOG_SOCKET "/dev/log"
#define AUTHPRIV_INFO 86    /* facility 10, severity 6: RFC 5424 */
#define AUTHPRIV_WARNING 84 /* severity 4 */
#define DATAGRAM_MAX 8192

/* ---- the file
 * -------------------------------------------------------------------- */

static int distrust(const struct audit_sink *sink, const char *why,
		    struct error *err)
{
	error_set(err, ERROR_NOT_PERMITTED, "audit file %.100s: %s", sink->path,
		  why);
	return error_remedy(err, "name a file of the daemon's own user in a "
				 "folder that nobody else may write to");
}

static int check_file(const struct audit_sink *sink, int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "audit file %.100s", sink->path);
	if (!S_ISREG(st.st_mode))
		return distrust(sink, "not a regular file", err);
	if (st.st_uid != geteuid())
		return distrust(sink, "it belongs to another user", err);
	if (st.st_nlink != 1)
		return distrust(sink, "it has other names as well", err);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return distrust(sink, "others may write to it", err);
	return 0;
}

/* Returns the descriptor, or -1. */
static int open_file(const struct audit_sink *sink, struct error *err)
{
	int fd = openat(sink->folder, sink->name,
			O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
				O_NONBLOCK | O_NOCTTY,
			0600);

	if (fd < 0 && errno == ELOOP)
		return distrust(sink, "a symbolic link", err);
	/* A FIFO that nobody reads. */
	if (fd < 0 && errno == ENXIO)
		return distrust(sink, "not a regular file", err);
	if (fd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "audit file %.100s", sink->path);
	if (!check_file(sink, fd, err))
		return fd;
	close(fd);
	return -1;
}

/* The folder is held open: names are only ever looked up in it. */
static int open_folder(struct audit_sink *sink, struct error *err)
{
	size_t length = (size_t)(sink->name - sink->path);
	char folder[PATH_MAX];
	struct stat st;

	memcpy(folder, sink->path, length);
	folder[length] = '\0';
	sink->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sink->folder < 0 || fstat(sink->folder, &st))
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "audit file: folder %.100s", folder);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return distrust(sink, "its folder belongs to another user",
				err);
	/* Even in a sticky one others could make the next name before us. */
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return distrust(sink, "others may write to its folder", err);
	return 0;
}

/* Absolute: the daemon changes its working directory. */
static int take_path(struct audit_sink *sink, const char *where,
		     struct error *err)
{
	char cwd[PATH_MAX] = "";
	size_t length;

	if (where[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return error_set_errno(err, ERROR_SYSTEM, errno, "getcwd");
	length = strlen(cwd) + strlen(where) + 1;
	if (!where[0] || where[strlen(where) - 1] == '/' ||
	    length >= sizeof(sink->path) - 8) {
		error_set(err, ERROR_USAGE, "--audit %.60s: not a file's path",
			  where);
		return error_remedy(err, "a path, syslog, or none");
	}
	snprintf(sink->path, sizeof(sink->path), "%s%s%s", cwd,
		 cwd[0] ? "/" : "", where);
	sink->name = strrchr(sink->path, '/') + 1;
	return 0;
}

/* FILE.3 becomes FILE.4 and so on; the last one is overwritten. False: the
 * file is still the one it was, to which we go on writing. */
static bool rotate(struct audit_sink *sink)
{
	char from[NAME_MAX + 16], to[NAME_MAX + 16];
	int fd;

	for (int i = AUDIT_KEPT - 1; i >= 0; i--) {
		snprintf(from, sizeof(from), i ? "%.255s.%d" : "%.255s",
			 sink->name, i);
		snprintf(to, sizeof(to), "%.255s.%d", sink->name, i + 1);
		if (renameat(sink->folder, from, sink->folder, to) &&
		    (errno != ENOENT || i == 0))
			return false;
	}
	fd = open_file(sink, NULL);
	if (fd < 0)
		return false;
	close(sink->fd);
	sink->fd = fd;
	return true;
}

/* What was cut by a full disk would spoil the next line. */
static bool append(int fd, off_t before, const char *line, size_t length)
{
	ssize_t put = write(fd, line, length);

	if (put == (ssize_t)length)
		return true;
	if (put > 0 && ftruncate(fd, before))
		(void)!write(fd, "\n", 1);
	return false;
}

static bool write_file(struct audit_sink *sink, const char *line, size_t length)
{
	struct stat st;

	if (fstat(sink->fd, &st))
		return false;
	/* Somebody removed it, or it is full. */
	if (st.st_nlink == 0) {
		if (audit_sink_reopen(sink, NULL))
			return false;
	} else if ((uint64_t)st.st_size + length > sink->most) {
		rotate(sink);
	}
	if (fstat(sink->fd, &st))
		return false;
	return append(sink->fd, st.st_size, line, length);
}

/* ---- syslog
 * --------------------------------------------------------------------- */

static bool connect_syslog(struct audit_sink *sink)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (sink->fd >= 0)
		close(sink->fd);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.107s",
		 sink->path);
	sink->fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sink->fd < 0)
		return false;
	if (!connect(sink->fd, (struct sockaddr *)&address, sizeof(address)))
		return true;
	close(sink->fd);
	sink->fd = -1;
	return false;
}

static bool send_syslog(struct audit_sink *sink, const char *text,
			size_t length)
{
	/* Who restarted it has another socket at the same path. */
	for (int i = 0; i < 2; i++) {
		if (sink->fd >= 0 &&
		    send(sink->fd, text, length, MSG_NOSIGNAL) >= 0)
			return true;
		if (sink->fd >= 0 && (errno == EAGAIN || errno == ENOBUFS))
			return false;
		if (!connect_syslog(sink))
			return false;
	}
	return false;
}

static bool write_syslog(struct audit_sink *sink, const char *line,
			 size_t length, bool warning)
{
	char text[DATAGRAM_MAX];
	int used = snprintf(text, sizeof(text), "<%d>nopdbd[%d]: ",
			    warning ? AUTHPRIV_WARNING : AUTHPRIV_INFO,
			    (int)getpid());

	/* Without the newline: a datagram is a line. */
	if ((size_t)used + length - 1 > sizeof(text))
		return false;
	memcpy(text + used, line, length - 1);
	return send_syslog(sink, text, (size_t)used + length - 1);
}

/* ---- both
 * ------------------------------------------------------------------------ */

int audit_sink_open(struct audit_sink *sink, const char *where, uint64_t most,
		    struct error *err)
{
	static const char syslog[] = "syslog";
	const size_t length = sizeof(syslog) - 1;

	*sink = (struct audit_sink){ .fd = -1, .folder = -1, .most = most };
	if (!where || !strcmp(where, "none"))
		return 0;
	if (!strncmp(where, syslog, length) &&
	    (!where[length] || where[length] == ':')) {
		sink->kind = AUDIT_SYSLOG;
		snprintf(sink->path, sizeof(sink->path), "%s",
			 where[length] ? where + length + 1 : SYSLOG_SOCKET);
		return 0;
	}
	sink->kind = AUDIT_FILE;
	if (!take_path(sink, where, err) && !open_folder(sink, err)) {
		sink->fd = open_file(sink, err);
		if (sink->fd >= 0)
			return 0;
	}
	audit_sink_close(sink);
	return -1;
}

int audit_sink_reopen(struct audit_sink *sink, struct error *err)
{
	int fd;

	if (sink->kind != AUDIT_FILE)
		return 0;
	fd = open_file(sink, err);
	if (fd < 0)
		return -1;
	close(sink->fd);
	sink->fd = fd;
	return 0;
}

bool audit_sink_write(struct audit_sink *sink, const char *line, size_t length,
		      bool warning)
{
	bool written = true;

	switch (sink->kind) {
	case AUDIT_NONE:
		return true;
	case AUDIT_FILE:
		written = write_file(sink, line, length);
		break;
	case AUDIT_SYSLOG:
		written = write_syslog(sink, line, length, warning);
		break;
	}
	if (!written)
		sink->lost++;
	return written;
}

void audit_sink_close(struct audit_sink *sink)
{
	if (sink->fd >= 0)
		close(sink->fd);
	if (sink->folder >= 0)
		close(sink->folder);
	sink->fd = sink->folder = -1;
	sink->kind = AUDIT_NONE;
}
