/* SPDX-License-Identifier: MIT */
/*
 * audit: who did what to which process, and what was refused: one JSON object
 * a line. Never a captured value, and of an expression or of code its kind and
 * length alone, for its text may hold a secret. Loop thread only.
 *
 * event: attach, probe, command, refusal, detach, probe-end, policy, lost.
 */
#ifndef NOPDB_DAEMON_AUDIT_H
#define NOPDB_DAEMON_AUDIT_H

#include "proto/error.h"

struct call;
struct daemon;
struct peer;
struct probe;
struct target;

/* A request was answered: with an error, or NULL. */
void audit_call(const struct call *call, const struct error *error);

/* A client was turned away. */
void audit_client(struct daemon *daemon, const struct peer *peer,
		  const struct error *error);

/* A process is left, or has ended. */
void audit_target(const struct target *target, const char *reason);

/* A probe ended. */
void audit_probe(const struct probe *probe);

/* The policy was read, or could not be: the old one stays. */
void audit_policy(struct daemon *daemon, const struct error *error);

#endif
