/* SPDX-License-Identifier: MIT */
/*
 * suite: runs the tests of one program; the end of each main().
 */
#ifndef NOPDB_TESTS_DAEMON_SUITE_H
#define NOPDB_TESTS_DAEMON_SUITE_H

#include <check.h>

/* Runs the case alone in a suite of this name; the program's exit status. */
int suite_run(const char *name, TCase *tests);

#endif
