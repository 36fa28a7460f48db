/* SPDX-License-Identifier: MIT */
/*
 * render: a record as lines for a terminal.
 *
 *   12:04:05.123 app:f(x=1, y=1) -> 4  1.25 ms  MainThread
 *       z=2
 *       in __main__:g  /srv/app.py:12
 */
#ifndef NOPDB_CLI_RENDER_H
#define NOPDB_CLI_RENDER_H

#include <stdbool.h>

#include "clients/cli/text.h"
#include "clients/cli/view.h"

struct render {
	size_t columns; /* of the terminal; 0: no bound */
	bool stack;	/* show the stack */
	bool probe;	/* show whose record it is */
};

/* Appends the lines of a record (each ends in a newline), nothing for records
 * that carry no capture. */
void render_record(struct text *text, struct view record,
		   const struct render *how);

/* Appends what a record of another kind means in words, without a newline;
 * false when there is nothing to say about it. */
bool render_event(struct text *text, struct view record);

#endif
