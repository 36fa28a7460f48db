/* SPDX-License-Identifier: MIT */
/*
 * inquiry: the kernel and the policy are asked, on a worker, what a client may
 * do with some processes. What is found about those that are attached becomes
 * a grant of the client, if it is still there. Loop thread only.
 */
#ifndef NOPDB_DAEMON_INQUIRY_H
#define NOPDB_DAEMON_INQUIRY_H

#include <uv.h>

#include "daemon/access.h"

struct call;
struct daemon;
struct session;
struct target;

struct inquiry {
	uv_work_t work;
	struct daemon *daemon;
	uint64_t session;     /* its serial: it may be gone meanwhile */
	struct access **list; /* owned, as are they */
	uint64_t *serials;    /* of the targets; 0: not attached */
	size_t count;
	void (*done)(struct inquiry *inquiry, struct session *session);
	void *arg; /* of done */
};

/* About at most so many processes; NULL when there is no memory. */
struct inquiry *inquiry_new(struct session *session, size_t most);
void inquiry_free(struct inquiry *inquiry);

/* Takes the process over, whether it works or not. serial 0: it is not
 * attached. Fails with NO_MEMORY or SYSTEM. */
int inquiry_add(struct inquiry *inquiry, const struct session *session,
		struct process_id *id, uint64_t serial,
		struct error *err) NOPDB_CHECKED;
int inquiry_add_target(struct inquiry *inquiry, const struct session *session,
		       const struct target *target,
		       struct error *err) NOPDB_CHECKED;

/* Starts it; done comes later, with the session or NULL when it has gone, after
 * the grants were set; the inquiry is freed after that. */
void inquiry_start(struct inquiry *inquiry,
		   void (*done)(struct inquiry *inquiry,
				struct session *session),
		   void *arg);

#endif
