/* SPDX-License-Identifier: MIT */
/*
 * argument: the numbers among a verb's arguments. Pure.
 */
#ifndef NOPDB_CLI_ARGUMENT_H
#define NOPDB_CLI_ARGUMENT_H

#include <stdint.h>

#include "proto/error.h"

/* A process id, 1 .. 4194304: the kernel's PID_MAX_LIMIT on 64-bit machines.
 * Fails with USAGE, naming the argument. */
int argument_pid(const char *text, int *ret_pid,
		 struct error *err) NOPDB_CHECKED;

/* A probe's id, from 1. */
int argument_probe(const char *text, uint32_t *ret_probe,
		   struct error *err) NOPDB_CHECKED;

#endif
