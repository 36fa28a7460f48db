/* SPDX-License-Identifier: MIT */
/*
 * debugger: pdb in the program, on this terminal. Each thread that stops is a
 * session of the daemon's; one has the terminal, the others wait their turn,
 * and their text with them. Lines of stdin go to it one by one, each when pdb
 * asks for it, so that what is piped in works as what is typed.
 *
 * Owned by the verb; fed by the stream (stream.h).
 */
#ifndef NOPDB_CLI_DEBUGGER_H
#define NOPDB_CLI_DEBUGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/cli/session.h"
#include "clients/cli/text.h"
#include "clients/cli/view.h"
#include "proto/limits.h"

#define DEBUGGER_PROMPT "(Pdb) "

struct debugger_stop {
	uint32_t probe;
	uint32_t session;
	char tail[sizeof(DEBUGGER_PROMPT)]; /* the last that it said */
	struct text held; /* what it said while others had the terminal */
};

struct debugger {
	struct session *session;
	struct debugger_stop stop[LIMIT_DEBUGGED]; /* [0] has the terminal */
	size_t count;
	char line[LIMIT_DEBUG]; /* read and not yet passed on */
	size_t used;
	bool input_ended;
	bool quit; /* the user wants no more */
};

void debugger_init(struct debugger *debugger, struct session *session);
void debugger_release(struct debugger *debugger);

/* Takes in a `debug` record; shows its text unless the output is JSON. */
void debugger_record(struct debugger *debugger, struct view record);

/* Sets what the next rpc_wait looks at. */
void debugger_await(struct debugger *debugger);

/* Passes lines of stdin on, as far as they are asked for. -1 when the daemon
 * is gone. */
int debugger_input(struct debugger *debugger) NOPDB_CHECKED;

#endif
