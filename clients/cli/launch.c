/* SPDX-License-Identifier: MIT */
#include "clients/cli/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/cli/interrupt.h"

#define DAEMON_NAME "nopdbd"
/* A daemon that ended may have found another that was just starting. */
#define GRACE_MS 1000u
#define PAUSE_MS 20

/* nopdbd in the directory of this binary; false when there is none. */
static bool beside(char path[PATH_MAX])
{
	char *slash;
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash ||
	    (size_t)(slash - path) + sizeof(DAEMON_NAME) + 1 > PATH_MAX)
		return false;
	memcpy(slash + 1, DAEMON_NAME, sizeof(DAEMON_NAME));
	return access(path, X_OK) == 0;
}

/* The grandchild: becomes the daemon; what it says goes into the pipe. */
static void become_daemon(const char *socket_path, int words)
{
	char path[PATH_MAX];
	char *argv[] = { (char *)DAEMON_NAME, (char *)"--socket",
			 (char *)socket_path, NULL };
	int null = open("/dev/null", O_RDWR);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	dup2(words, STDERR_FILENO);
	interrupt_reset();
	/* Holds no file system busy. */
	if (chdir("/") < 0)
		_exit(127);
	if (beside(path))
		execv(path, argv);
	else
		execvp(DAEMON_NAME, argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", DAEMON_NAME,
		strerror(errno));
	_exit(127);
}

int launch_daemon(const char *socket_path, struct launch *ret_launch,
		  struct error *err)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "pipe");
	child = fork();
	if (child < 0) {
		error_set_errno(err, ERROR_SYSTEM, errno, "fork");
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (child == 0) {
		/* Twice, so that the daemon is nobody's child and, in a
		 * session of its own, deaf to this terminal. */
		setsid();
		if (fork() == 0)
			become_daemon(socket_path, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	*ret_launch = (struct launch){ .words = ends[0],
				       .deadline_ms = LAUNCH_TIMEOUT_MS };
	return 0;
}

/* Keeps what the daemon says; a closed pipe means that it ended. */
static void listen_to(struct launch *launch)
{
	char more[256];
	size_t room = sizeof(launch->said) - 1 - launch->length;
	ssize_t n = read(launch->words, more, sizeof(more));

	if (n <= 0) {
		launch->ended = true;
		return;
	}
	if ((size_t)n < room)
		room = (size_t)n;
	memcpy(launch->said + launch->length, more, room);
	launch->length += room;
	launch->said[launch->length] = '\0';
}

bool launch_wait(struct launch *launch, unsigned *waited_ms)
{
	struct pollfd fd = { .fd = launch->ended ? -1 : launch->words,
			     .events = POLLIN };

	if (*waited_ms >= launch->deadline_ms || interrupted())
		return false;
	if (poll(&fd, 1, PAUSE_MS) > 0) {
		listen_to(launch);
		if (launch->ended &&
		    launch->deadline_ms > *waited_ms + GRACE_MS)
			launch->deadline_ms = *waited_ms + GRACE_MS;
	}
	/* Words come rarely: counting them as a pause keeps the bound. */
	*waited_ms += PAUSE_MS;
	return true;
}

void launch_failed(const struct launch *launch, const char *socket_path,
		   struct error *err)
{
	static const char label[] = "\n  remedy: ";
	const char *remedy = strstr(launch->said, label);

	if (launch->length > 0)
		error_set(err, ERROR_NO_DAEMON, "no daemon at %s: %.*s",
			  socket_path, (int)strcspn(launch->said, "\n"),
			  launch->said);
	else
		error_set(err, ERROR_NO_DAEMON,
			  "no daemon at %s: none answers within %u s",
			  socket_path, LAUNCH_TIMEOUT_MS / 1000);
	if (remedy) {
		remedy += sizeof(label) - 1;
		error_remedy(err, "%.*s", (int)strcspn(remedy, "\n"), remedy);
		return;
	}
	error_remedy(err,
		     "start it by hand to see why: " DAEMON_NAME
		     " --foreground --socket %s",
		     socket_path);
}

void launch_release(struct launch *launch)
{
	close(launch->words);
	launch->words = -1;
}
