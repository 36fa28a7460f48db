/* SPDX-License-Identifier: MIT */
/*
 * gate: between a request and its method, where a policy is in force: finds
 * the processes that the request is about, has the kernel and the policy asked
 * about them (inquiry.h), and lets the call through or fails it. Requests of
 * one client pass in the order in which they came. What a client may not know
 * of looks to it as if it were not there.
 *
 * Without a policy every call passes at once. Loop thread only.
 */
#ifndef NOPDB_DAEMON_GATE_H
#define NOPDB_DAEMON_GATE_H

#include <stdbool.h>

struct call;
struct daemon;
struct method;
struct session;
struct target;

/* Whom a method concerns. */
enum gate_scope {
	GATE_OPEN,     /* nobody, or the method looks for itself */
	GATE_OPERATOR, /* the daemon: its own user and root */
	GATE_ATTACHED, /* the target that pid, target or probe names; without
			  any of them all, of which the method leaves out
			  those that grant_lets does not let */
	GATE_PROCESS,  /* the process of pid, asked about anew each time; the
			  call then has its access */
	GATE_TOLD,     /* the same, and the method says what is refused */
};

/* Handles the call when it may be, after those that came before it. */
void gate_pass(struct call *call, const struct method *method);

/* Has the client nothing in the gate? */
bool gate_idle(const struct session *session);

/* A target is there: those who listen to all are asked about. */
void gate_target_live(struct target *target);
/* It is gone: nobody has anything with it. */
void gate_target_gone(struct target *target);

/* The policy is another: what clients may do is asked anew, and what they may
 * not do any more ends. */
void gate_policy_changed(struct daemon *daemon);

/* The client goes; its calls are orphans already. */
void gate_session_ends(struct session *session);

#endif
