/* SPDX-License-Identifier: MIT */
/*
 * rulebook: the policy in force, shared by the loop and by workers: never
 * changed, replaced when the file is read again, gone with its last user. Any
 * thread may hold and drop it.
 */
#ifndef NOPDB_DAEMON_RULEBOOK_H
#define NOPDB_DAEMON_RULEBOOK_H

#include <limits.h>
#include <stdatomic.h>

#include "daemon/policy.h"

struct rulebook {
	atomic_uint users;
	struct policy policy;
	char source[PATH_MAX]; /* its file; "the default policy" */
};

/* Reads the file, or with NULL takes POLICY_FILE if there is one and the
 * default if there is none. path is absolute. Fails as policy_file_load. */
int rulebook_load(const char *path, struct rulebook **ret_book,
		  struct error *err) NOPDB_CHECKED;

struct rulebook *rulebook_hold(struct rulebook *book);
/* NULL is fine. */
void rulebook_drop(struct rulebook *book);

/* The name of a rule of a decision. */
const char *rulebook_rule(const struct rulebook *book, int rule);

#endif
