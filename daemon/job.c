/* SPDX-License-Identifier: MIT */
#include "daemon/job.h"

#include "daemon/daemon.h"

/* One that reads a large process does not hold up all others. */
#define RUNNING_MAX 2

void jobs_init(struct jobs *jobs)
{
	TAILQ_INIT(&jobs->waiting);
	jobs->running = 0;
}

static void start_next(struct jobs *jobs);

static void on_closed(void *owner)
{
	struct job *job = owner;

	job->type->release(job->owner);
}

static void on_done(void *owner)
{
	struct job *job = owner;
	struct jobs *jobs = &job->daemon->jobs;

	jobs->running--;
	job->type->done(job->owner, NULL);
	worker_close(&job->worker, on_closed);
	start_next(jobs);
}

static void run(void *owner)
{
	struct job *job = owner;

	job->type->run(job->owner);
}

static void start(struct jobs *jobs, struct job *job)
{
	struct error err = ERROR_INIT;

	worker_init(&job->worker, &job->daemon->loop, job);
	jobs->running++;
	if (!worker_start(&job->worker, run, on_done, &err))
		return;
	jobs->running--;
	job->type->done(job->owner, &err);
	worker_close(&job->worker, on_closed);
}

static void start_next(struct jobs *jobs)
{
	struct job *job;

	while (jobs->running < RUNNING_MAX &&
	       (job = TAILQ_FIRST(&jobs->waiting))) {
		TAILQ_REMOVE(&jobs->waiting, job, entry);
		start(jobs, job);
	}
}

void job_start(struct daemon *daemon, struct job *job,
	       const struct job_type *type, void *owner)
{
	job->daemon = daemon;
	job->type = type;
	job->owner = owner;
	TAILQ_INSERT_TAIL(&daemon->jobs.waiting, job, entry);
	start_next(&daemon->jobs);
}
