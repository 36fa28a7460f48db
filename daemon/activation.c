/* SPDX-License-Identifier: MIT */
#include "daemon/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* ---- what was handed on
 * ------------------------------------------------------- */

/* A decimal number of the environment; -1 when it is none. */
static long variable(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long value;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno || *end ? -1 : value;
}

static bool has_option(int fd, int option, int value)
{
	socklen_t size = sizeof(int);
	int got = -1;

	return !getsockopt(fd, SOL_SOCKET, option, &got, &size) && got == value;
}

/* Keeps a socket that is what we listen on; else says what it lacks. */
static const char *take_socket(struct inherited *socket, int fd)
{
	struct sockaddr_un addr = { 0 };
	socklen_t size = sizeof(addr);

	if (fcntl(fd, F_SETFD, FD_CLOEXEC))
		return "is not open";
	if (!has_option(fd, SO_DOMAIN, AF_UNIX) ||
	    !has_option(fd, SO_TYPE, SOCK_STREAM))
		return "is not a Unix stream socket";
	if (!has_option(fd, SO_ACCEPTCONN, 1))
		return "does not listen";
	if (getsockname(fd, (struct sockaddr *)&addr, &size) ||
	    size <= offsetof(struct sockaddr_un, sun_path) ||
	    addr.sun_path[0] != '/')
		return "is not bound to a path";
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		return "cannot be made non-blocking";
	socket->fd = fd;
	/* The kernel ends a path of full length without a NUL. */
	snprintf(socket->path, sizeof(socket->path), "%.*s",
		 (int)sizeof(addr.sun_path), addr.sun_path);
	return NULL;
}

static int take_all(struct activation *activation, long count,
		    struct error *err)
{
	for (int i = 0; i < count; i++) {
		const char *lacks =
			take_socket(&activation->sockets[i], FIRST_FD + i);

		if (lacks) {
			error_set(err, ERROR_USAGE,
				  "the socket handed on as descriptor %d %s",
				  FIRST_FD + i, lacks);
			return error_remedy(err, "ListenStream= of the socket "
						 "unit must be a path");
		}
		activation->count++;
	}
	return 0;
}

int activation_take(struct activation *ret_activation, struct error *err)
{
	long pid = variable("LISTEN_PID"), count = variable("LISTEN_FDS");

	memset(ret_activation, 0, sizeof(*ret_activation));
	/* For another process: inherited by chance through the environment. */
	if (pid != getpid())
		return 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (count < 0 || count > ACTIVATION_MOST)
		return error_set(err, ERROR_USAGE,
				 "LISTEN_FDS: not a number of sockets from "
				 "0 to %d",
				 ACTIVATION_MOST);
	return take_all(ret_activation, count, err);
}

bool activation_claim(struct activation *activation, const char *path,
		      struct listener *ret_listener)
{
	for (unsigned i = 0; i < activation->count; i++) {
		struct inherited *socket = &activation->sockets[i];

		if (socket->fd < 0 || (path && strcmp(path, socket->path)))
			continue;
		listener_adopt(ret_listener, socket->fd, socket->path);
		socket->fd = -1;
		return true;
	}
	return false;
}

int activation_check(const struct activation *activation, struct error *err)
{
	for (unsigned i = 0; i < activation->count; i++) {
		const struct inherited *socket = &activation->sockets[i];

		if (socket->fd < 0)
			continue;
		error_set(err, ERROR_USAGE,
			  "the socket %s was handed on, but is not used",
			  socket->path);
		return error_remedy(err, "name it with --socket or --metrics");
	}
	return 0;
}

/* ---- what is told
 * ------------------------------------------------------------- */

void activation_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t length = path ? strlen(path) : 0;
	int fd;

	if ((length && path[0] != '/' && path[0] != '@') || length < 2 ||
	    length >= sizeof(addr.sun_path))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	memcpy(addr.sun_path, path, length);
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	/* Who does not hear it has a time-out of its own. */
	(void)!sendto(
		fd, state, strlen(state), MSG_NOSIGNAL,
		(const struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}
