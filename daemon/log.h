/* SPDX-License-Identifier: MIT */
/*
 * log: one line an event, with the time, to a file or to stderr. Loop thread
 * only. Never a captured value, never bytes of a target.
 */
#ifndef NOPDB_DAEMON_LOG_H
#define NOPDB_DAEMON_LOG_H

#include "proto/error.h"

/* Logs to a file (appended, 0600), or with NULL to stderr. */
int log_open(const char *path, struct error *err) NOPDB_CHECKED;
/* From now on nothing is logged; closes the file. */
void log_close(void);

void log_line(const char *fmt, ...) NOPDB_PRINTF(1, 2);

#endif
