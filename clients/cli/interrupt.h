/* SPDX-License-Identifier: MIT */
/*
 * interrupt: SIGINT, SIGTERM and SIGHUP as a readable descriptor, so that a
 * poll loop can end in order. The second of a kind ends the process at once:
 * the daemon then cleans up by itself.
 */
#ifndef NOPDB_CLI_INTERRUPT_H
#define NOPDB_CLI_INTERRUPT_H

#include <stdbool.h>

#include "proto/error.h"

/* Installs the handlers and ignores SIGPIPE; once per process. */
int interrupt_init(struct error *err) NOPDB_CHECKED;

/* Readable once interrupted, and until the process ends; -1 before init. */
int interrupt_fd(void);

bool interrupted(void);

/* In a child before it becomes another program: signals as at the start. */
void interrupt_reset(void);

#endif
