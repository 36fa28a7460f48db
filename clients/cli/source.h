/* SPDX-License-Identifier: MIT */
/*
 * source: the text of a line of a program's file, as the file is now, read
 * with this user's own rights through the program's root, so that a program in
 * a container is read there.
 *
 * Paths come from the program and are hostile: they are resolved below its
 * root (or below its working directory, when they are relative), which no link
 * leaves; only regular files are opened, up to 4 MiB. What cannot be read has
 * no text: that is no error.
 */
#ifndef NOPDB_CLI_SOURCE_H
#define NOPDB_CLI_SOURCE_H

#include <stddef.h>
#include <stdint.h>

enum { SOURCE_FILES = 16, SOURCE_TARGET = 64 };

struct source_file {
	char *path; /* owned; NULL: no file yet */
	char *text; /* owned; NULL: not to be read */
	size_t length;
	uint32_t *lines; /* owned; where each line starts */
	size_t count;
};

struct source {
	char target[SOURCE_TARGET]; /* PID.STARTTIME, or PID; "": none */
	int root, cwd;		    /* directories of the program, or -1 */
	unsigned next;		    /* file to give up next */
	struct source_file files[SOURCE_FILES];
};

void source_init(struct source *source);
void source_release(struct source *source);

/* Reads files of this process from now on: "PID.STARTTIME" as records name it,
 * or a PID. A process that is not the same any more has no files. */
void source_of(struct source *source, const char *target);

/* A line, without space around it: not terminated, valid until the next call.
 * NULL: none. */
const char *source_line(struct source *source, const char *path, int64_t line,
			size_t *ret_length);

#endif
