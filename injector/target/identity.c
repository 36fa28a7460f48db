/* SPDX-License-Identifier: MIT */
#include "injector/injector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "injector/target/process.h"
#include "injector/target/procfs.h"

#define CGROUP_TEXT_MAX (64u << 10)
#define STATUS_TEXT_MAX 8192

/* Real, effective, saved: "Uid:\t1000\t1000\t1000\t1000". */
static bool read_users(pid_t pid, uid_t uid[3])
{
	char text[STATUS_TEXT_MAX];
	const char *line;
	unsigned long id[3];

	if (procfs_read(pid, "status", text, sizeof(text)) <= 0)
		return false;
	line = strstr(text, "\nUid:");
	if (!line ||
	    sscanf(line + 5, "%lu %lu %lu", &id[0], &id[1], &id[2]) != 3)
		return false;
	for (int i = 0; i < 3; i++)
		uid[i] = (uid_t)id[i];
	return true;
}

/* Is what the link says, in our own view, the file that runs? A process in
 * another root, or one whose file was replaced, can say anything. */
static bool same_file(pid_t pid, const char *path)
{
	struct stat running, named;
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	return path[0] == '/' && !stat(link, &running) && !stat(path, &named) &&
	       running.st_dev == named.st_dev && running.st_ino == named.st_ino;
}

static void read_program(pid_t pid, struct process_identity *identity)
{
	if (!procfs_link(pid, "exe", identity->program,
			 sizeof(identity->program)))
		identity->program[0] = '\0';
	identity->program_proven = same_file(pid, identity->program);
}

/* The path of version 2, "0::PATH", unless all is in its root and systemd's
 * own hierarchy says more. Others tell nothing of units. */
static const char *choose_group(const char *text, size_t *ret_length)
{
	static const char systemd[] = ":name=systemd:";
	const char *best = "";
	int rank = 0;

	*ret_length = 0;
	for (const char *line = text; *line; line += *line == '\n') {
		size_t length = strcspn(line, "\n");
		const char *names = memchr(line, ':', length);
		const char *path = NULL;
		int worth = 0;

		if (names && !strncmp(line, "0::", 3)) {
			path = line + 3;
			worth = line + length - path > 1 ? 3 : 1;
		} else if (names &&
			   !strncmp(names, systemd, sizeof(systemd) - 1)) {
			path = names + sizeof(systemd) - 1;
			worth = 2;
		}
		if (worth > rank) {
			rank = worth;
			best = path;
			*ret_length = (size_t)(line + length - path);
		}
		line += length;
	}
	return best;
}

static void read_cgroup(pid_t pid, struct process_identity *identity)
{
	size_t size = 0;
	char *text = procfs_read_all(pid, "cgroup", CGROUP_TEXT_MAX, &size);
	const char *path;
	size_t length;

	identity->cgroup[0] = '\0';
	if (!text)
		return;
	path = choose_group(text, &length);
	if (length < sizeof(identity->cgroup)) {
		memcpy(identity->cgroup, path, length);
		identity->cgroup[length] = '\0';
	}
	free(text);
}

int process_identify(pid_t pid, struct process_identity *ret_identity,
		     struct error *err)
{
	if (!read_users(pid, ret_identity->uid))
		return process_missing(pid, err);
	read_program(pid, ret_identity);
	read_cgroup(pid, ret_identity);
	return 0;
}
