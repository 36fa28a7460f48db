/* SPDX-License-Identifier: MIT */
/*
 * house: the rules of this daemon: whom it serves, by which policy, and where
 * it writes down what was done. The loop's; opened before it runs.
 */
#ifndef NOPDB_DAEMON_HOUSE_H
#define NOPDB_DAEMON_HOUSE_H

#include <stdbool.h>

#include "daemon/audit_sink.h"
#include "daemon/config.h"
#include "daemon/rulebook.h"

struct daemon;

struct house {
	struct rulebook *book;	 /* held; NULL: no policy, one user's daemon */
	const char *policy_path; /* to read again; NULL: look for it */
	bool shared;		 /* serves every user */
	struct audit_sink audit;
};

/* Reads the policy and opens the audit log. Refuses to start with what cannot
 * be trusted or understood: the message names file, key and reason. */
int house_open(struct house *house, const struct config *config,
	       struct error *err) NOPDB_CHECKED;

/* SIGHUP: reads the policy again, and keeps the old one on any error; opens
 * the audit log anew. False: there is neither. */
bool house_reload(struct daemon *daemon);

void house_close(struct house *house);

#endif
