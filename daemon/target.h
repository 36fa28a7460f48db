/* SPDX-License-Identifier: MIT */
/*
 * target: one process that we entered or are entering, from the first attach
 * to the last trace of the agent. Loop thread only, but for the two blocking
 * jobs (inject, wait until gone), which run on a worker and touch only `job`.
 *
 *   ATTACHING   the injector works                      (worker)
 *   STARTING    the agent has its ring, we wait for READY
 *   LIVE        probes may be set
 *   LEAVING     probes are being removed, then the agent is told to leave
 *   DEPARTING   the agent said it leaves, or is lost: its thread must vanish
 *                                                       (worker, at the end)
 *   GONE        no longer listed; freed when its handles are closed
 *
 * Clients hold a target; it is left when nobody holds it and no probe is set.
 */
#ifndef NOPDB_DAEMON_TARGET_H
#define NOPDB_DAEMON_TARGET_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/call.h"
#include "daemon/control.h"
#include "daemon/probe.h"
#include "daemon/pump.h"
#include "daemon/worker.h"
#include "injector/injector.h"

struct access;
struct daemon;
struct debugged;
struct session;

enum target_state {
	TARGET_ATTACHING,
	TARGET_STARTING,
	TARGET_LIVE,
	TARGET_LEAVING,
	TARGET_DEPARTING,
	TARGET_GONE,
};

/* What a worker reads and writes while it runs; the loop's otherwise. */
struct target_job {
	struct inject_options options;
	struct inject_report report;
	struct process_facts facts;
	uint64_t program;      /* that was entered, see process_program */
	struct access *access; /* of the call that is first; NULL: none */
	struct error err;
	int result;
};

struct target {
	TAILQ_ENTRY(target) entry;
	struct daemon *daemon;
	uint64_t serial;      /* never used twice in this daemon */
	char name[40];	      /* "PID.STARTTIME" */
	struct process_id id; /* owned */
	uid_t user;	      /* who had it entered */
	enum target_state state;
	bool stuck; /* DEPARTING, but the agent does not go */
	bool was_live;
	bool resident; /* the agent left its file mapped */
	bool leave_sent;
	bool lost;	  /* the agent, see target_agent_lost */
	unsigned handles; /* not yet closed */

	struct worker worker;
	struct target_job job;
	struct control control;
	struct pump pump;
	bool control_open;
	bool pump_open;
	uv_poll_t death;  /* the pidfd */
	uv_timer_t tick;  /* heartbeat */
	uv_timer_t grace; /* one-shot: state decides what is over */

	char python[32]; /* "3.11.7" */
	char engine[32];
	uint64_t pause_us; /* of the thread that we hijacked */
	uint64_t attach_us;
	uint64_t asked_ns;

	TAILQ_HEAD(, probe) probes;
	unsigned probe_count;
	unsigned draining;		 /* probes in PROBE_DRAINING */
	TAILQ_HEAD(, debugged) debugged; /* threads in a debugger */
	unsigned debugged_count;
	struct session *holders[LIMIT_CLIENTS];
	bool clears[LIMIT_CLIENTS]; /* that holder, when it goes: see below */
	unsigned holder_count;

	const char *leave_reason;    /* for the `detached` record */
	struct error failure;	     /* why attachers fail, when they do */
	struct call_list attachers;  /* wait for LIVE */
	struct call_list detachers;  /* wait for GONE or for their probes */
	struct call_list successors; /* attach again once GONE */
};

/* Enters a process for the call, or joins who entered it before; answers the
 * call when that is done. */
void target_attach(struct daemon *daemon, struct call *call, pid_t pid);

/* Ends what the calling client has in the target; leaves the target when
 * nobody else holds it, or with force anyway. Answers when that is done. */
void target_detach(struct target *target, struct call *call, bool force);

/* Removes all probes and the agent. Does nothing when that is under way. */
void target_leave(struct target *target, const char *reason);

/* Ends a client's probes and its hold. Persistent ones stay, unless the client
 * attached with `detach_on_exit`: then all those of its user go. */
void target_let_go(struct target *target, struct session *session);

/* The same to a client that may not be there any more, which is told. */
void target_dismiss(struct target *target, struct session *session,
		    const char *reason);

/* A live target by its name or its pid; NULL when there is none. */
struct target *target_find(struct daemon *daemon, const char *name);
struct target *target_find_pid(struct daemon *daemon, pid_t pid);

bool target_held_by(const struct target *target, const struct session *session);
/* Adds a hold; sends `attached` when it is the client's first. */
void target_hold(struct target *target, struct session *session);

/* ---- for attachment.c, which drives the states
 * ---------------------------------
 */

void target_became_live(struct target *target);
/* Tells `detached` or `target_exit`; nobody holds the target afterwards. */
void target_tell_holders(struct target *target, const char *event,
			 const char *reason);
/* The agent or its process is gone; answers all who wait. */
void target_became_gone(struct target *target);
/* All handles are closed. */
void target_free(struct target *target);

/* ---- for probe_life.c
 * -------------------------------------------------------- */

/* A probe is gone: what waited for that may go on. */
void target_probe_gone(struct target *target);

/* The agent is not to be trusted or not there any more. Safe from within any
 * event of its control socket or ring. */
void target_agent_lost(struct target *target, const char *why);

#endif
