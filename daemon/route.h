/* SPDX-License-Identifier: MIT */
/*
 * route: which clients a record goes to. A probe's records go to its owner and
 * to who subscribed; a target's to those who hold it. Loop thread only.
 */
#ifndef NOPDB_DAEMON_ROUTE_H
#define NOPDB_DAEMON_ROUTE_H

#include <stddef.h>

#include "daemon/rpc.h"

struct probe;
struct session;
struct target;

/* Sends a capture's checked body; clients that are slow may lose it. */
void route_capture(struct probe *probe, const char *event, const char *body,
		   size_t length);

/* Sends a record of the probe's life, never dropped. */
void route_probe(struct probe *probe, const char *event, const char *body,
		 size_t length);
void route_probe_render(struct probe *probe, const char *event,
			rpc_render *render, const void *arg);

/* Sends a record to the probe's owner alone, who must be there; not numbered,
 * never dropped. */
void route_owner(struct probe *probe, const char *event, rpc_render *render,
		 const void *arg);

/* Sends `end` to all, each with its own losses; the probe's last record. */
void route_probe_end(struct probe *probe);

/* Tells one client what it lost by being slow: a `lost` record. */
void route_slow(struct session *session, uint32_t probe, uint64_t count);

/* Sends a record about the target to those who hold it, or to one of them. */
void route_target(struct target *target, const char *event, rpc_render *render,
		  const void *arg);
void route_target_one(struct target *target, struct session *session,
		      const char *event, rpc_render *render, const void *arg);

#endif
