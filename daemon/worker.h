/* SPDX-License-Identifier: MIT */
/*
 * worker: blocking jobs, one at a time, each on a thread of its own, because
 * ptrace belongs to a thread. All signals are blocked there. Driven from the
 * loop thread; embedded in its owner, who must stay until `closed`.
 */
#ifndef NOPDB_DAEMON_WORKER_H
#define NOPDB_DAEMON_WORKER_H

#include <stdbool.h>
#include <uv.h>

#include "proto/error.h"

struct worker {
	uv_thread_t thread;
	uv_async_t finished;
	bool running;
	int broken;		   /* why no job can be started; 0: none */
	void (*run)(void *owner);  /* on the thread */
	void (*done)(void *owner); /* on the loop, after run returned */
	void (*closed)(void *owner);
	void *owner;
};

/* A failure shows when a job is started. */
void worker_init(struct worker *worker, uv_loop_t *loop, void *owner);

/* Starts a job; none may be running. On failure done is not called. */
int worker_start(struct worker *worker, void (*run)(void *owner),
		 void (*done)(void *owner), struct error *err) NOPDB_CHECKED;

/* No job may be running. */
void worker_close(struct worker *worker, void (*closed)(void *owner));

#endif
