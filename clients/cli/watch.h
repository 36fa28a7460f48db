/* SPDX-License-Identifier: MIT */
/*
 * watch: what `calls` and `break` have in common: attach, set a probe for each
 * WHERE, show its records until all have ended, and leave no trace.
 */
#ifndef NOPDB_CLI_WATCH_H
#define NOPDB_CLI_WATCH_H

#include "clients/cli/verb.h"

/* argv: verb, PID, WHERE... Returns the exit status. */
int watch(struct session *session, const struct verb *verb, int argc,
	  char **argv);

/* The same for the probes of a file (probe_file.h), whose name is for messages:
 * all of them are set, or none. */
int watch_file(struct session *session, const char *pid, const char *name,
	       const cJSON *probes);

#endif
