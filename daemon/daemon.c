/* SPDX-License-Identifier: MIT */
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "daemon/activation.h"
#include "daemon/log.h"
#include "daemon/session.h"
#include "daemon/target.h"

/* A target that does not let go may take so long from us when we stop; its
 * agent leaves by itself as soon as our socket is closed. */
#define STOP_MS 8000
#define BACKLOG 128

const struct way_in way_in_injector = { inject_agent, inject_wait_gone };

/* ---- leaving
 * ------------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle, void *arg)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Nothing is left to do: closing the last handles ends the loop. */
static void close_all(struct daemon *daemon)
{
	if (daemon->closing)
		return;
	daemon->closing = true;
	uv_close((uv_handle_t *)&daemon->flush, NULL);
	uv_close((uv_handle_t *)&daemon->idle, NULL);
	uv_close((uv_handle_t *)&daemon->deadline, NULL);
	for (int i = 0; i < DAEMON_SIGNALS; i++)
		uv_close((uv_handle_t *)&daemon->signals[i], NULL);
}

static void finish_sessions(struct daemon *daemon)
{
	struct session *session, *next;

	for (session = TAILQ_FIRST(&daemon->sessions); session;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		session_finish(session);
	}
}

static void on_deadline(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;

	log_line("%u targets and %u clients did not let go in time",
		 daemon->target_count, daemon->session_count);
	uv_stop(&daemon->loop);
}

static void stop_listening(struct daemon *daemon)
{
	uv_close((uv_handle_t *)&daemon->server, NULL);
	listener_close(&daemon->listener);
	exporter_close(&daemon->exporter);
}

void daemon_stop(struct daemon *daemon, const char *why)
{
	struct target *target, *next;

	if (daemon->stopping)
		return;
	log_line("stopping: %s", why);
	activation_notify("STOPPING=1");
	daemon->stopping = true;
	stop_listening(daemon);
	uv_timer_stop(&daemon->idle);
	uv_timer_start(&daemon->deadline, on_deadline, STOP_MS, 0);
	for (target = TAILQ_FIRST(&daemon->targets); target; target = next) {
		next = TAILQ_NEXT(target, entry);
		target_leave(target, "daemon-stops");
	}
	daemon_changed(daemon);
}

/* Does a client wait to be accepted? */
static bool client_waits(const struct daemon *daemon)
{
	struct pollfd poll_fd = { .events = POLLIN };

	return !uv_fileno((const uv_handle_t *)&daemon->server, &poll_fd.fd) &&
	       poll(&poll_fd, 1, 0) > 0;
}

/* Timers come before connections in a turn of the loop: who connected just now
 * is served, not turned away. */
static void on_idle(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;

	if (client_waits(daemon))
		daemon_changed(daemon);
	else
		daemon_stop(daemon, "idle");
}

void daemon_changed(struct daemon *daemon)
{
	bool idle = daemon->session_count == 0 && daemon->target_count == 0;

	daemon->budget.targets = daemon->target_count;
	if (daemon->stopping) {
		if (daemon->target_count == 0)
			finish_sessions(daemon);
		if (idle)
			close_all(daemon);
		return;
	}
	if (!idle || daemon->idle_s == 0)
		uv_timer_stop(&daemon->idle);
	else
		uv_timer_start(&daemon->idle, on_idle,
			       (uint64_t)daemon->idle_s * 1000, 0);
}

/* ---- events
 * -------------------------------------------------------------------- */

static void on_connection(uv_stream_t *server, int status)
{
	if (status < 0)
		log_line("accept: %s", uv_strerror(status));
	else
		session_accept(server->data, server);
}

static void on_signal(uv_signal_t *handle, int number)
{
	char why[32];

	/* Of a daemon that has no rules it means what it always meant. */
	if (number == SIGHUP && house_reload(handle->data))
		return;
	snprintf(why, sizeof(why), "signal %d", number);
	daemon_stop(handle->data, why);
}

static void on_flush(uv_prepare_t *prepare)
{
	struct daemon *daemon = prepare->data;
	struct session *session, *next;

	if (budget_over(&daemon->budget))
		session_shed(daemon);
	for (session = TAILQ_FIRST(&daemon->sessions); session;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		session_flush(session);
	}
}

/* ---- starting
 * ------------------------------------------------------------------ */

static int serve(struct daemon *daemon, struct error *err)
{
	int rc = uv_pipe_init(&daemon->loop, &daemon->server, 0);

	daemon->server.data = daemon;
	if (!rc)
		rc = uv_pipe_open(&daemon->server, daemon->listener.fd);
	if (rc)
		return error_set_errno(err, ERROR_SYSTEM, -rc, "serve %s",
				       daemon->listener.path);
	/* The handle owns the descriptor now. */
	daemon->listener.fd = -1;
	rc = uv_listen((uv_stream_t *)&daemon->server, BACKLOG, on_connection);
	if (rc)
		return error_set_errno(err, ERROR_SYSTEM, -rc, "serve %s",
				       daemon->listener.path);
	return 0;
}

static void watch_signals(struct daemon *daemon)
{
	static const int numbers[DAEMON_SIGNALS] = { SIGTERM, SIGINT, SIGHUP };

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < DAEMON_SIGNALS; i++) {
		uv_signal_init(&daemon->loop, &daemon->signals[i]);
		daemon->signals[i].data = daemon;
		uv_signal_start(&daemon->signals[i], on_signal, numbers[i]);
	}
}

static void ignore_event(uv_poll_t *poll, int status, int events)
{
}

/* libuv ends the process when its table of descriptors cannot grow. So it grows
 * now, for as many as clients and targets can have. */
static int reserve_descriptors(struct daemon *daemon, struct error *err)
{
	int high = 4 * LIMIT_TARGETS + 2 * LIMIT_CLIENTS, rc;
	struct rlimit limit;
	uv_poll_t poll;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur <= (rlim_t)high)
		high = (int)limit.rlim_cur - 1;
	high = fcntl(daemon->listener.fd, F_DUPFD_CLOEXEC, high);
	if (high < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "descriptors");
	rc = uv_poll_init(&daemon->loop, &poll, high);
	if (!rc)
		rc = uv_poll_start(&poll, UV_DISCONNECT, ignore_event);
	if (!rc)
		uv_close((uv_handle_t *)&poll, NULL);
	uv_run(&daemon->loop, UV_RUN_NOWAIT);
	close(high);
	return rc ? error_set_errno(err, ERROR_SYSTEM, -rc, "descriptors") : 0;
}

static void init_handles(struct daemon *daemon)
{
	uv_prepare_init(&daemon->loop, &daemon->flush);
	uv_timer_init(&daemon->loop, &daemon->idle);
	uv_timer_init(&daemon->loop, &daemon->deadline);
	daemon->flush.data = daemon;
	daemon->idle.data = daemon;
	daemon->deadline.data = daemon;
	uv_prepare_start(&daemon->flush, on_flush);
}

int daemon_init(struct daemon *daemon, const struct listener *listener,
		int agent_fd, const char *agent_path, unsigned idle_s,
		struct error *err)
{
	int rc;

	memset(daemon, 0, sizeof(*daemon));
	daemon->way_in = &way_in_injector;
	daemon->agent_fd = agent_fd;
	snprintf(daemon->agent_path, sizeof(daemon->agent_path), "%s",
		 agent_path);
	daemon->idle_s = idle_s;
	daemon->patience = (struct patience)PATIENCE_DEFAULT;
	daemon->listener = *listener;
	TAILQ_INIT(&daemon->sessions);
	TAILQ_INIT(&daemon->targets);
	TAILQ_INIT(&daemon->ps_waiting);
	jobs_init(&daemon->jobs);
	registry_init(&daemon->registry);
	daemon->counters.started_ns = uv_hrtime();
	daemon->counters.started = time(NULL);
	rc = uv_loop_init(&daemon->loop);
	if (rc)
		return error_set_errno(err, ERROR_SYSTEM, -rc, "event loop");
	if (reserve_descriptors(daemon, err)) {
		uv_loop_close(&daemon->loop);
		return -1;
	}
	init_handles(daemon);
	watch_signals(daemon);
	if (serve(daemon, err)) {
		daemon_release(daemon);
		return -1;
	}
	daemon_changed(daemon);
	return 0;
}

static void do_nothing(uv_work_t *work)
{
}

/* libuv ends the process when its pool of threads cannot start. So it starts
 * now, in a daemon that will use it. */
static void start_pool(struct daemon *daemon)
{
	static uv_work_t first;

	if (daemon->house.shared)
		uv_queue_work(&daemon->loop, &first, do_nothing, NULL);
}

void daemon_run(struct daemon *daemon)
{
	start_pool(daemon);
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
}

void daemon_release(struct daemon *daemon)
{
	exporter_close(&daemon->exporter);
	listener_close(&daemon->listener);
	/* After a deadline handles of targets are still open, and their memory
	 * with a worker: the process is about to end, they stay. */
	if (daemon->target_count > 0 || daemon->session_count > 0)
		return;
	uv_walk(&daemon->loop, close_handle, NULL);
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
	uv_loop_close(&daemon->loop);
}
