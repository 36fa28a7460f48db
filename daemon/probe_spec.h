/* SPDX-License-Identifier: MIT */
/*
 * probe_spec: what a probe of the daemon was asked to do, kept as the bytes
 * that its agent gets. Loop thread only.
 */
#ifndef NOPDB_DAEMON_PROBE_SPEC_H
#define NOPDB_DAEMON_PROBE_SPEC_H

#include <cjson/cJSON.h>

#include "daemon/probe.h"
#include "proto/error.h"

/* Makes the spec's texts the probe's own: until then they are the request's.
 * A spec that is too large leaves encoded as it was. -1 without memory. */
int probe_keep_spec(struct probe *probe) NOPDB_CHECKED;

/* Writes a spec with nothing but the actions of params, for an agent to add.
 * Its size, 0 with PARAMS or LOCATION. */
size_t probe_encode_actions(const struct probe *probe, const cJSON *params,
			    char *buf, size_t size, struct error *err);

/* The agent has them: from now on they are part of the probe. Without memory it
 * is listed as before; what the agent does stays right. */
void probe_keep_actions(struct probe *probe, const cJSON *params);

#endif
