/* SPDX-License-Identifier: MIT */
/*
 * report: what the command says on stderr, as `nopdb: message` with the remedy
 * on a second line. Foreign text is escaped.
 */
#ifndef NOPDB_CLI_REPORT_H
#define NOPDB_CLI_REPORT_H

#include <stdbool.h>

#include "proto/error.h"

/* -q: notes are dropped, errors stay. */
void report_quiet(bool quiet);

/* An error; returns its exit status. */
int report_error(const struct error *err);

/* What is good to know. */
void report_note(const char *format, ...) NOPDB_PRINTF(1, 2);

#endif
