/* SPDX-License-Identifier: MIT */
#include "tests/injector/python.h"

#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 10000

static void add_matches(struct python *list, size_t *count, const char *pattern)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc && *count < PYTHONS; i++) {
		struct python *next = &list[*count];
		const char *name = strrchr(found.gl_pathv[i], '/');

		if (!name || sscanf(name, "/python3.%u", &next->minor) != 1)
			continue;
		/* python3.11 itself, not python3.11-config. */
		if (name[strcspn(name, "-")] != '\0')
			continue;
		snprintf(next->path, sizeof(next->path), "%s",
			 found.gl_pathv[i]);
		next->supported = next->minor >= 7;
		++*count;
	}
	globfree(&found);
}

size_t python_list(struct python list[PYTHONS])
{
	const char *home = getenv("HOME");
	char pattern[256];
	size_t count = 0;

	snprintf(pattern, sizeof(pattern),
		 "%s/.pyenv/versions/3.*/bin/python3.*", home ? home : "");
	add_matches(list, &count, pattern);
	add_matches(list, &count, "/usr/bin/python3.*");
	return count;
}

static void run_child(const char *const argv[], int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* print() may write its line in two parts. */
static void wait_line(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char byte = 0;

	while (byte != '\n') {
		ck_assert_int_eq(poll(&ready, 1, START_MS), 1);
		ck_assert_int_eq(read(fd, &byte, 1), 1);
	}
}

pid_t python_start(const struct python *python, const char *source)
{
	return python_start_filtered(python, source, NULL);
}

pid_t python_start_filtered(const struct python *python, const char *source,
			    const struct sock_fprog *filter)
{
	const char *const argv[] = { python->path, "-c", source, NULL };
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (filter &&
		    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		     prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter)))
			_exit(126);
		run_child(argv, ends[1]);
	}
	close(ends[1]);
	wait_line(ends[0]);
	close(ends[0]);
	return pid;
}

pid_t program_start(const char *const argv[], unsigned ready_ms)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		run_child(argv, STDOUT_FILENO);
	usleep(ready_ms * 1000);
	return pid;
}

void program_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

void beside_test(const char *name, char *buf, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", buf, size - 1);
	char *slash;

	ck_assert_int_gt(length, 0);
	buf[length] = '\0';
	slash = strrchr(buf, '/');
	snprintf(slash + 1, size - (size_t)(slash + 1 - buf), "%s", name);
}
