/* SPDX-License-Identifier: MIT */
#include "daemon/worker.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>

static void thread_main(void *arg)
{
	struct worker *worker = arg;

	worker->run(worker->owner);
	uv_async_send(&worker->finished);
}

/* Joining first makes what the thread wrote visible here. */
static void on_finished(uv_async_t *async)
{
	struct worker *worker = async->data;

	uv_thread_join(&worker->thread);
	worker->running = false;
	worker->done(worker->owner);
	/* Entering or reading a process takes MiBs for a moment. */
	malloc_trim(0);
}

void worker_init(struct worker *worker, uv_loop_t *loop, void *owner)
{
	worker->owner = owner;
	worker->running = false;
	worker->broken = -uv_async_init(loop, &worker->finished, on_finished);
	worker->finished.data = worker;
}

int worker_start(struct worker *worker, void (*run)(void *owner),
		 void (*done)(void *owner), struct error *err)
{
	sigset_t all, before;
	int rc;

	if (worker->broken)
		return error_set_errno(err, ERROR_SYSTEM, worker->broken,
				       "worker");
	worker->run = run;
	worker->done = done;
	/* The thread inherits the mask: signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = uv_thread_create(&worker->thread, thread_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return error_set_errno(err, ERROR_SYSTEM, -rc,
				       "start a thread");
	worker->running = true;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct worker *worker = handle->data;

	worker->closed(worker->owner);
}

void worker_close(struct worker *worker, void (*closed)(void *owner))
{
	worker->closed = closed;
	if (worker->broken)
		closed(worker->owner);
	else
		uv_close((uv_handle_t *)&worker->finished, on_closed);
}
