/* SPDX-License-Identifier: MIT */
/*
 * audit_sink: where audit lines go: a file of our own that never grows beyond
 * its size, or syslog (on a machine with systemd, the journal). A line that
 * cannot be written whole is not written at all, and counted; the service goes
 * on. Loop thread only.
 */
#ifndef NOPDB_DAEMON_AUDIT_SINK_H
#define NOPDB_DAEMON_AUDIT_SINK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define AUDIT_KEPT 4 /* files that were full, FILE.1 the newest */
#define AUDIT_SIZE_DEFAULT (16u << 20)
#define AUDIT_SIZE_LEAST (64u << 10)
#define AUDIT_SIZE_MOST (4ull << 30)

enum audit_kind { AUDIT_NONE, AUDIT_FILE, AUDIT_SYSLOG };

struct audit_sink {
	enum audit_kind kind;
	int fd;		     /* -1: not open */
	int folder;	     /* of the file */
	uint64_t most;	     /* bytes of the file */
	uint64_t lost;	     /* lines, since the start */
	uint64_t told;	     /* of these, told in a line */
	char path[PATH_MAX]; /* of the file, or of syslog's socket */
	const char *name;    /* its last part */
};

/* where: a path, "syslog", "syslog:SOCKET" or "none". Fails with NOT_PERMITTED
 * when others could write to the file or replace it, SYSTEM, USAGE. Syslog
 * need not be there yet. */
int audit_sink_open(struct audit_sink *sink, const char *where, uint64_t most,
		    struct error *err) NOPDB_CHECKED;

/* Opens the file anew, which somebody may have moved away. On failure the old
 * one stays. */
int audit_sink_reopen(struct audit_sink *sink, struct error *err) NOPDB_CHECKED;

/* Writes one line, which ends with a newline. False: it was lost. */
bool audit_sink_write(struct audit_sink *sink, const char *line, size_t length,
		      bool warning);

void audit_sink_close(struct audit_sink *sink);

#endif
