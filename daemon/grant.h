/* SPDX-License-Identifier: MIT */
/*
 * grant: what one client may do with one attached process, as it was found
 * out. As with ptrace(2), who was let in once is not asked again, until the
 * policy changes; the target holds its process by a pidfd, so that a grant is
 * never about another with its id. Loop thread only.
 */
#ifndef NOPDB_DAEMON_GRANT_H
#define NOPDB_DAEMON_GRANT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/access.h"

struct session;
struct target;

struct grant {
	LIST_ENTRY(grant) entry;
	uint64_t serial; /* of the target */
	struct verdict verdict;
};

LIST_HEAD(grant_list, grant);

/* NULL: not asked yet. */
const struct grant *grant_find(const struct session *session, uint64_t serial);

/* Without memory for it, nothing is granted. */
void grant_set(struct session *session, uint64_t serial,
	       const struct verdict *verdict);

void grant_drop(struct session *session, uint64_t serial);
void grant_drop_all(struct session *session);

/* Has the client all of these rights? Without a policy it has all. */
bool grant_lets(const struct session *session, const struct target *target,
		uint32_t rights);

#endif
