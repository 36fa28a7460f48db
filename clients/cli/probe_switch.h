/* SPDX-License-Identifier: MIT */
/*
 * probe_switch: what enable and disable have in common.
 */
#ifndef NOPDB_CLI_PROBE_SWITCH_H
#define NOPDB_CLI_PROBE_SWITCH_H

#include "clients/cli/session.h"

/* Calls the method for the probe named by id; returns the exit status. */
int probe_switch(struct session *session, const char *id, const char *method);

#endif
