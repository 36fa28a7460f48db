/* SPDX-License-Identifier: MIT */
#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE 512

static int log_fd = -1;

int log_open(const char *path, struct error *err)
{
	int fd;

	if (!path) {
		log_fd = STDERR_FILENO;
		return 0;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "log file %s",
				       path);
	log_fd = fd;
	return 0;
}

void log_close(void)
{
	if (log_fd > STDERR_FILENO)
		close(log_fd);
	log_fd = -1;
}

/* Control characters would let a command line forge a log line. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
	}
}

void log_line(const char *fmt, ...)
{
	struct timespec now;
	struct tm tm;
	char stamp[32], text[LINE];
	va_list args;

	if (log_fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	make_printable(text);
	dprintf(log_fd, "%s.%03ldZ nopdbd[%d]: %s\n", stamp,
		now.tv_nsec / 1000000, (int)getpid(), text);
}
