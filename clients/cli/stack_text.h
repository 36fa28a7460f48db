/* SPDX-License-Identifier: MIT */
/*
 * stack_text: a record of stacks as text: what holds the process up first,
 * then every thread, its outermost frame first.
 *
 *   process 4711: Python 3.11.2, 2 threads, read in 0.4 ms, nothing stopped
 *
 *   thread 4711 MainThread  waiting
 *       /srv/app.py:16:1     __main__:<module>
 *       libc.so.6            clock_nanosleep+0x23
 */
#ifndef NOPDB_CLI_STACK_TEXT_H
#define NOPDB_CLI_STACK_TEXT_H

#include <cjson/cJSON.h>

#include "clients/cli/text.h"

/* Appends the lines of a record; everything foreign escaped. */
void stack_text_render(struct text *text, const cJSON *record);

#endif
