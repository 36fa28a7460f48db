/* SPDX-License-Identifier: MIT */
/*
 * attachment: how the agent of a target gets in and out: the worker's jobs, the
 * control socket and the ring, the heartbeat, and what happens when the agent
 * or the process is lost. Drives the states of target.h. Loop thread only.
 */
#ifndef NOPDB_DAEMON_ATTACHMENT_H
#define NOPDB_DAEMON_ATTACHMENT_H

#include <sys/types.h>

#include "proto/error.h"

struct target;

/* Opens the handles that a target has all its life; on failure none is. */
int attachment_init(struct target *target, struct error *err) NOPDB_CHECKED;

/* Starts to enter; the end is target_became_live or target_became_gone. */
void attachment_begin(struct target *target);

/* Tells the agent to leave: its probes are gone. */
void attachment_send_leave(struct target *target);

/* Closes all handles; target_free follows. */
void attachment_close(struct target *target);

/* Puts "pid N: " before a message that does not name the pid. */
void attachment_name_pid(struct error *err, pid_t pid);

#endif
