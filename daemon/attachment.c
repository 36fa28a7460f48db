/* SPDX-License-Identifier: MIT */
#include "daemon/attachment.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/access.h"
#include "daemon/daemon.h"
#include "daemon/debug.h"
#include "daemon/ending.h"
#include "daemon/log.h"
#include "daemon/probe_life.h"
#include "daemon/record.h"
#include "daemon/target.h"
#include "proto/boot.h"

/* Heartbeats that an agent may leave unanswered, one a second: when it has
 * nothing to do, and when it was asked something, for which it may have to wait
 * for the GIL. */
#define SILENT_BEATS 5
#define BUSY_BEATS 30
/* Between the end of the socket and that of the process, when it dies. */
#define DEATH_MS 500
/* To the end of the agent's thread. */
#define GONE_MS 5000
/* Between two looks at an agent that does not go. */
#define RETRY_MS 1000

static void depart(struct target *target);
static void on_grace(uv_timer_t *timer);

void attachment_name_pid(struct error *err, pid_t pid)
{
	char number[16];
	const char *at;
	size_t length = (size_t)snprintf(number, sizeof(number), "%d", pid);

	for (at = strstr(err->msg, number); at; at = strstr(at + 1, number)) {
		bool alone = (at == err->msg || at[-1] < '0' || at[-1] > '9') &&
			     (at[length] < '0' || at[length] > '9');

		if (alone)
			return;
	}
	error_wrap(err, "pid %d", (int)pid);
}

/* ---- the end of the process
 * ------------------------------------------------------ */

static bool process_died(const struct target *target)
{
	struct pollfd poll_fd = { .fd = target->id.pidfd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

static void close_channels(struct target *target, const char *why)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERROR_AGENT, "pid %d: %s", (int)target->id.pid, why);
	uv_timer_stop(&target->tick);
	uv_timer_stop(&target->grace);
	debug_end_all(target);
	if (target->control_open)
		control_close(&target->control, &err);
	if (target->pump_open)
		pump_close(&target->pump);
	target->control_open = false;
	target->pump_open = false;
}

/* The process is dead; what it captured is in the ring still. */
static void take_death(struct target *target)
{
	uv_poll_stop(&target->death);
	if (target->state == TARGET_GONE)
		return;
	error_set(&target->failure, ERROR_TARGET_EXIT,
		  "pid %d: the process exited", (int)target->id.pid);
	target->state = TARGET_DEPARTING;
	if (target->pump_open)
		pump_drain(&target->pump);
	probe_life_end_all_now(target, PROBE_END_TARGET_EXIT);
	ending_tell(target);
	close_channels(target, "the process exited");
	target_became_gone(target);
}

static void on_death(uv_poll_t *poll, int status, int events)
{
	struct target *target = poll->data;

	/* While a worker waits for the agent's end, it sees this as well. */
	if (target->worker.running)
		uv_poll_stop(&target->death);
	else
		take_death(target);
}

/* ---- the end of the agent
 * -------------------------------------------------------- */

static void run_wait_gone(void *owner)
{
	struct target *target = owner;
	struct target_job *job = &target->job;

	job->result = target->daemon->way_in->wait_gone(
		&target->id, &job->report, GONE_MS, &job->err);
}

/* The agent does not go: tell who waits, and wait on. */
static void stay_stuck(struct target *target)
{
	struct error err = target->job.err;

	if (!target->stuck)
		log_line("%s: the agent does not leave: %s", target->name,
			 err.msg);
	target->stuck = true;
	attachment_name_pid(&err, target->id.pid);
	call_fail_all(&target->detachers, &err);
	call_fail_all(&target->successors, &err);
	uv_timer_start(&target->grace, on_grace, RETRY_MS, 0);
}

static void finish_departure(struct target *target)
{
	if (target->holder_count > 0)
		target_tell_holders(target, "detached", target->leave_reason);
	else
		log_line("%s: left: %s", target->name, target->leave_reason);
	target_became_gone(target);
}

static void on_waited(void *owner)
{
	struct target *target = owner;

	if (target->job.result && !process_died(target) &&
	    !target->daemon->stopping)
		stay_stuck(target);
	else
		finish_departure(target);
}

/* Waits on a worker until thread and region are gone from the target. */
static void depart(struct target *target)
{
	struct error err = ERROR_INIT;

	target->state = TARGET_DEPARTING;
	close_channels(target, "the agent has left");
	error_clear(&target->job.err);
	if (worker_start(&target->worker, run_wait_gone, on_waited, &err)) {
		log_line("%s: %s", target->name, err.msg);
		finish_departure(target);
	}
}

void target_agent_lost(struct target *target, const char *why)
{
	if (target->state >= TARGET_DEPARTING)
		return;
	log_line("%s: agent lost: %s", target->name, why);
	if (!target->failure.code) {
		error_set(&target->failure, ERROR_AGENT,
			  "pid %d: the agent was lost: %s", (int)target->id.pid,
			  why);
		error_remedy(&target->failure, "attach again");
	}
	target->state = TARGET_DEPARTING;
	uv_timer_stop(&target->tick);
	/* Later, from the loop: this may be deep within the ring or socket. */
	target->lost = true;
	uv_timer_start(&target->grace, on_grace, 0, 0);
}

static void bury_agent(struct target *target)
{
	if (process_died(target)) {
		take_death(target);
		return;
	}
	if (target->pump_open)
		pump_drain(&target->pump);
	target->lost = false;
	if (ending_by_exec(target)) {
		error_set(&target->failure, ERROR_TARGET_EXIT,
			  "pid %d: it executed another program",
			  (int)target->id.pid);
		probe_life_end_all_now(target, PROBE_END_TARGET_EXIT);
		ending_tell(target);
		target->leave_reason = "exec";
	} else {
		probe_life_end_all_now(target, PROBE_END_AGENT_LOST);
		target_tell_holders(target, "detached", "agent-lost");
		target->leave_reason = "agent-lost";
	}
	depart(target);
}

static void on_grace(uv_timer_t *timer)
{
	struct target *target = timer->data;

	if (target->lost)
		bury_agent(target);
	else
		depart(target);
}

/* ---- the control socket
 * ---------------------------------------------------------- */

static void on_pong(struct control *control, const struct frame *frame)
{
	probe_life_stats(control->owner, frame);
}

static void on_debug(struct control *control, const struct frame *frame, int fd)
{
	debug_open(control->owner, frame, fd);
}

/* The agent leaves by itself: the interpreter ends, or its engine broke. */
static void on_leaving(struct control *control, const struct frame *frame)
{
	struct target *target = control->owner;

	if (target->state >= TARGET_DEPARTING)
		return;
	target_agent_lost(target, "it left by itself");
	/* The process may be ending, and then says so soon. */
	uv_timer_start(&target->grace, on_grace, DEATH_MS, 0);
}

static void on_ended(struct control *control, bool broken, const char *why)
{
	struct target *target = control->owner;

	if (target->state == TARGET_DEPARTING) {
		/* What we waited for, unless bury_agent comes anyway. */
		if (!target->lost)
			depart(target);
		return;
	}
	target_agent_lost(target, why);
	/* A process that dies closes its sockets before its pidfd tells. */
	if (!broken)
		uv_timer_start(&target->grace, on_grace, DEATH_MS, 0);
}

static void handle_closed(struct target *target)
{
	if (--target->handles == 0)
		target_free(target);
}

static void on_control_closed(struct control *control)
{
	handle_closed(control->owner);
}

static const struct control_events control_events = {
	.pong = on_pong,
	.debug = on_debug,
	.leaving = on_leaving,
	.ended = on_ended,
	.closed = on_control_closed,
};

static void on_left(struct control *control, void *arg,
		    const struct frame *answer, const struct error *err)
{
	struct target *target = control->owner;
	uint32_t leave = BOOT_UNLOAD;

	if (!answer) {
		target_agent_lost(target, err->msg);
		return;
	}
	memcpy(&leave, answer->payload, sizeof(leave));
	target->resident = leave == BOOT_STAY;
	target->state = TARGET_DEPARTING;
	/* Nothing comes after this. The end of its socket is not waited for:
	 * children of the program may have that open, too. */
	uv_timer_start(&target->grace, on_grace, 0, 0);
}

void attachment_send_leave(struct target *target)
{
	struct error err = ERROR_INIT;

	if (target->leave_sent)
		return;
	target->leave_sent = true;
	if (control_ask(&target->control, FRAME_LEAVE, FRAME_LEAVING, NULL, 0,
			on_left, NULL, &err))
		target_agent_lost(target, err.msg);
}

static void on_tick(uv_timer_t *timer)
{
	struct target *target = timer->data;
	struct control *control = &target->control;
	unsigned most = control_waits(control) ? BUSY_BEATS : SILENT_BEATS;

	/* It may still wait for the GIL, as long as on_gil_late lets it. */
	if (target->state == TARGET_STARTING)
		return;
	if (control->unanswered >= most) {
		target_agent_lost(target, "it does not answer");
		return;
	}
	control_ping(control);
	/* Drains have a deadline. */
	probe_life_progress(target);
}

/* ---- the ring
 * -------------------------------------------------------------------- */

static enum pump_verdict on_record(struct pump *pump,
				   const struct ring_item *item,
				   const char *body)
{
	return probe_life_record(pump->owner, item, body);
}

static void on_progress(struct pump *pump)
{
	probe_life_progress(pump->owner);
}

static void on_broken(struct pump *pump)
{
	target_agent_lost(pump->owner, "its ring is damaged");
}

static void on_pump_closed(struct pump *pump)
{
	handle_closed(pump->owner);
}

static const struct pump_events pump_events = {
	.record = on_record,
	.progress = on_progress,
	.broken = on_broken,
	.closed = on_pump_closed,
};

/* ---- getting in
 * ------------------------------------------------------------------ */

/* Its thread waits for the GIL, and leaves once it has it: our end of the
 * socket is closed then. Who asked is told now. */
static void on_gil_late(uv_timer_t *timer)
{
	struct target *target = timer->data;

	error_set(&target->failure, ERROR_TIMEOUT,
		  "pid %d: the interpreter did not let the agent in within "
		  "%u ms: some code keeps its lock (GIL)",
		  (int)target->id.pid, target->daemon->patience.gil_ms);
	error_remedy(&target->failure, "try again");
	call_fail_all(&target->attachers, &target->failure);
	target_agent_lost(target, "it does not get the GIL");
}

static void take_identity(struct target *target, const struct frame *ready)
{
	uint32_t version = target->job.report.python_version;

	record_string(ready->payload, ready->length, "python", target->python,
		      sizeof(target->python));
	record_string(ready->payload, ready->length, "engine", target->engine,
		      sizeof(target->engine));
	if (!target->python[0])
		snprintf(target->python, sizeof(target->python), "%u.%u.%u",
			 version >> 16 & 0xff, version >> 8 & 0xff,
			 version & 0xff);
}

static void on_ready(struct control *control, void *arg,
		     const struct frame *answer, const struct error *err)
{
	struct target *target = control->owner;

	if (target->state != TARGET_STARTING)
		return;
	uv_timer_stop(&target->grace);
	if (answer && record_check(answer->payload, answer->length)) {
		target_agent_lost(target, "malformed READY");
		return;
	}
	if (answer) {
		take_identity(target, answer);
		target->attach_us = (uv_hrtime() - target->asked_ns) / 1000;
		target_became_live(target);
		return;
	}
	/* It refuses, undoes what it did, and says no more. */
	target->failure = *err;
	attachment_name_pid(&target->failure, target->id.pid);
	target->leave_reason = "refused";
	target->state = TARGET_DEPARTING;
	uv_timer_start(&target->grace, on_grace, 0, 0);
}

static int send_start(struct target *target, struct error *err)
{
	struct frame_start start = { .version = NOPDB_AGENT_ABI,
				     .silence_ms = DEFAULT_SILENCE_MS,
				     .ring_size = LIMIT_RING_DEFAULT };
	int fds[2] = { target->pump.memfd, target->pump.eventfd };

	return control_ask_with_fds(&target->control, FRAME_START, FRAME_READY,
				    &start, sizeof(start), fds, on_ready, NULL,
				    err);
}

/* Opens socket and ring to the agent, which waits for its first frame. */
static int open_channels(struct target *target, struct error *err)
{
	uv_loop_t *loop = &target->daemon->loop;

	if (control_open(&target->control, loop, target->job.report.control_fd,
			 &control_events, target, err))
		return -1;
	target->control_open = true;
	target->handles++;
	if (pump_open(&target->pump, loop, LIMIT_RING_DEFAULT, &pump_events,
		      target, err))
		return -1;
	target->pump_open = true;
	target->handles++;
	return send_start(target, err);
}

static void start_agent(struct target *target)
{
	target->pause_us = target->job.report.pause_ns / 1000;
	target->state = TARGET_STARTING;
	if (open_channels(target, &target->failure)) {
		/* Our end of the socket closes, so the agent leaves. */
		target->leave_reason = "not started";
		depart(target);
		return;
	}
	uv_poll_start(&target->death, UV_READABLE, on_death);
	uv_timer_start(&target->tick, on_tick, DEFAULT_HEARTBEAT_MS,
		       DEFAULT_HEARTBEAT_MS);
	uv_timer_start(&target->grace, on_gil_late,
		       target->daemon->patience.gil_ms, 0);
}

/* The injector asks again when nothing can change any more. */
static int permit(void *arg, struct error *err)
{
	return access_again(arg, RIGHTS_ENTER, err);
}

static int inject(struct target *target)
{
	struct target_job *job = &target->job;
	int result;

	if (job->access) {
		if (access_prepare(job->access, &job->err))
			return -1;
		job->options.permit = permit;
		job->options.permit_arg = job->access;
		if (job->access->memory >= 0)
			job->options.memory = &job->access->memory;
	}
	result = target->daemon->way_in->inject(&target->id, &job->options,
						&job->report, &job->err);
	if (job->access)
		access_settle(job->access);
	return result;
}

static void run_inject(void *owner)
{
	struct target *target = owner;
	struct target_job *job = &target->job;

	/* For lists only: what cannot be read stays empty. */
	if (process_inspect(target->id.pid, &job->facts, NULL))
		memset(&job->facts, 0, sizeof(job->facts));
	job->program = process_program(target->id.pid);
	job->result = inject(target);
}

static void on_injected(void *owner)
{
	struct target *target = owner;

	/* It is the call's, which may be answered now. */
	target->job.access = NULL;
	if (target->job.result == 0) {
		start_agent(target);
		return;
	}
	target->failure = target->job.err;
	attachment_name_pid(&target->failure, target->id.pid);
	log_line("%s: attach failed: %s", target->name, target->failure.msg);
	target_became_gone(target);
}

void attachment_begin(struct target *target)
{
	const struct patience *patience = &target->daemon->patience;

	target->job.options = (struct inject_options){
		.agent_fd = target->daemon->agent_fd,
		.interrupt_ms = patience->interrupt_ms,
		.search_ms = patience->search_ms,
		.call_ms = patience->call_ms,
		.handshake_ms = patience->handshake_ms,
	};
	if (worker_start(&target->worker, run_inject, on_injected,
			 &target->failure))
		target_became_gone(target);
}

/* ---- handles
 * --------------------------------------------------------------------- */

static void on_worker_closed(void *owner)
{
	handle_closed(owner);
}

static void on_handle_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

int attachment_init(struct target *target, struct error *err)
{
	uv_loop_t *loop = &target->daemon->loop;
	int rc = uv_poll_init(loop, &target->death, target->id.pidfd);

	if (rc)
		return error_set_errno(err, ERROR_SYSTEM, -rc, "watch pid %d",
				       (int)target->id.pid);
	uv_timer_init(loop, &target->tick);
	uv_timer_init(loop, &target->grace);
	target->death.data = target;
	target->tick.data = target;
	target->grace.data = target;
	target->handles = 4;
	worker_init(&target->worker, loop, target);
	return 0;
}

void attachment_close(struct target *target)
{
	close_channels(target, "it is gone");
	uv_close((uv_handle_t *)&target->death, on_handle_closed);
	uv_close((uv_handle_t *)&target->tick, on_handle_closed);
	uv_close((uv_handle_t *)&target->grace, on_handle_closed);
	worker_close(&target->worker, on_worker_closed);
}
