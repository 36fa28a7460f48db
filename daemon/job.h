/* SPDX-License-Identifier: MIT */
/*
 * job: blocking work that a request asks for and that belongs to no target
 * (ps, doctor, stack), on a thread of its own. So many run at a time, because
 * each may need some MiB; the others wait their turn. Loop thread only, but for
 * `run`.
 */
#ifndef NOPDB_DAEMON_JOB_H
#define NOPDB_DAEMON_JOB_H

#include <sys/queue.h>

#include "daemon/worker.h"
#include "proto/error.h"

struct daemon;

struct job_type {
	/* On the thread. */
	void (*run)(void *owner);
	/* On the loop. err: why it could not run; NULL when it did. */
	void (*done)(void *owner, const struct error *err);
	/* The last of it: the owner's memory may go. */
	void (*release)(void *owner);
};

struct job {
	TAILQ_ENTRY(job) entry; /* while it waits */
	const struct job_type *type;
	void *owner;
	struct daemon *daemon;
	struct worker worker;
};

TAILQ_HEAD(job_list, job);

/* The jobs of a daemon. */
struct jobs {
	struct job_list waiting;
	unsigned running;
};

void jobs_init(struct jobs *jobs);

/* Runs a job now or later. done and release are always called, perhaps before
 * this returns. */
void job_start(struct daemon *daemon, struct job *job,
	       const struct job_type *type, void *owner);

#endif
