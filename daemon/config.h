/* SPDX-License-Identifier: MIT */
/*
 * config: what the command line says. Strings point into argv.
 */
#ifndef NOPDB_DAEMON_CONFIG_H
#define NOPDB_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/patience.h"
#include "proto/error.h"

struct config {
	const char *socket;  /* where clients connect; NULL: was handed on */
	const char *metrics; /* where they are scraped; NULL: nowhere */
	const char *agent;   /* NULL: look beside our own binary */
	const char *log;     /* NULL: stderr when in the foreground */
	unsigned idle_s;     /* leave after so long without work; 0: never */
	struct patience patience;
	const char *policy;   /* NULL: POLICY_FILE, or the default */
	const char *audit;    /* NULL: syslog when it serves all, else none */
	uint64_t audit_bytes; /* that its file may have */
	bool system;	      /* serves every user */
	bool foreground;
	bool help;
	bool version;
};

/* USAGE when the command line is wrong; the message names the argument. */
int config_parse(struct config *ret_config, int argc, char **argv,
		 struct error *err) NOPDB_CHECKED;

void config_usage(FILE *out);

#endif
