/* SPDX-License-Identifier: MIT */
/*
 * viewer: which of all processes one client may see, where a policy is in
 * force. Made and freed on the loop, looked through on a worker.
 */
#ifndef NOPDB_DAEMON_VIEWER_H
#define NOPDB_DAEMON_VIEWER_H

#include <sys/queue.h>

#include "daemon/access.h"

struct call;
struct session;

/* Of one process, in the order of the list that was given. */
struct sight {
	uint8_t rights;
	bool granted; /* by the kernel */
};

struct viewer {
	STAILQ_ENTRY(viewer) entry;
	const struct call *call; /* for whom */
	struct rulebook *book;	 /* held */
	struct peer peer;	 /* owned */
	struct sight *sights;	 /* owned; NULL: nothing is seen */
	size_t count;
};

STAILQ_HEAD(viewer_list, viewer);

/* NULL when there is no memory. */
struct viewer *viewer_new(const struct call *call,
			  const struct session *session);
void viewer_free(struct viewer *viewer);

/* Looks at all of them: sights are there afterwards. What cannot be asked about
 * is not seen. Blocks. */
void viewer_look(struct viewer *viewer, const struct process_facts *const *list,
		 size_t count);

/* Why it cannot be entered, as far as client, kernel and policy go; 0 when
 * it can. */
int viewer_verdict(const struct viewer *viewer, size_t index, pid_t pid,
		   struct error *err) NOPDB_CHECKED;

#endif
