/* SPDX-License-Identifier: MIT */
/*
 * agent_file: where the target's dlopen finds the agent. First the memfd that
 * the new thread made, as /proc/self/fd/N; where the target has no /proc, a
 * file in a temporary directory of its root, removed as soon as it is loaded.
 */
#ifndef NOPDB_INJECTOR_AGENT_FILE_H
#define NOPDB_INJECTOR_AGENT_FILE_H

#include "injector/injector.h"
#include "proto/boot.h"

struct agent_file {
	int directory; /* -1: no file was made */
	char name[64];
	char path[BOOT_PATH]; /* as the target sees it */
};

#define AGENT_FILE_INIT         \
	{                       \
		.directory = -1 \
	}

/* Does the target's root have a /proc of which /proc/self/fd can be used? */
bool agent_file_proc_usable(pid_t pid);

/* Copies the agent into the target's memfd. Fails with ATTACH. */
int agent_file_memfd(struct agent_file *file, const struct process_id *id,
		     int agent_fd, int memfd, struct error *err) NOPDB_CHECKED;

/* Copies the agent into a new file. Fails with ATTACH. */
int agent_file_create(struct agent_file *file, pid_t pid, int agent_fd,
		      struct error *err) NOPDB_CHECKED;

/* Could agent_file_create find a directory? */
bool agent_file_possible(pid_t pid);

/* Removes the file, if one was made. */
void agent_file_remove(struct agent_file *file);

#endif
