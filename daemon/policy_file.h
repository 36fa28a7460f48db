/* SPDX-License-Identifier: MIT */
/*
 * policy_file: a policy out of a file that only root, or the daemon's own
 * user, can have written. Blocks (disk, user database): at the start and when
 * the daemon is told to read it again.
 */
#ifndef NOPDB_DAEMON_POLICY_FILE_H
#define NOPDB_DAEMON_POLICY_FILE_H

#include "daemon/policy.h"

#define POLICY_FILE "/etc/nopdb/policy.json"

/* Reads and parses the file. Fails with SYSTEM when it cannot be read,
 * NOT_PERMITTED when others could have written it, USAGE when it says what it
 * may not; the message names file, key and reason. path is absolute. */
int policy_file_load(const char *path, struct policy *ret_policy,
		     struct error *err) NOPDB_CHECKED;

/* The built-in default. */
int policy_load_default(struct policy *ret_policy,
			struct error *err) NOPDB_CHECKED;

#endif
