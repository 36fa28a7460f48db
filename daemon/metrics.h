/* SPDX-License-Identifier: MIT */
/*
 * metrics: this daemon's figures in Prometheus' text format (version 0.0.4:
 * "# HELP", "# TYPE", then "name{label="value"} number" lines). No name, path
 * or pid of a process is in it. Loop thread only.
 */
#ifndef NOPDB_DAEMON_METRICS_H
#define NOPDB_DAEMON_METRICS_H

#include <stddef.h>

struct daemon;

/* The text, for the caller to free, and its length; NULL: no memory. */
char *metrics_render(const struct daemon *daemon, size_t *ret_length);

#endif
