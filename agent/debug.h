/* SPDX-License-Identifier: MIT */
/*
 * debug: a thread of the program stops in pdb. The debugger is Python
 * (agent/python/debug.py, loaded with the first probe that wants it) and
 * speaks over a socket of its own, whose other end goes to the daemon with
 * FRAME_DEBUG. Either end's closing ends the session, and the program goes on.
 *
 * Where the program waits depends on the engine. <= 3.11: in a trace function
 * of Python's, called after ours returned: nothing of the agent is on the
 * stack. 3.12 and later: in the callback of the agent, where it is counted as
 * parked: it touches nothing of a probe's afterwards, so that other probes may
 * come and go; only the agent itself has to wait until it is through.
 *
 * GIL held, all of it.
 */
#ifndef NOPDB_AGENT_DEBUG_H
#define NOPDB_AGENT_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/python.h"

/* What a hit leaves to be done when all else of it is done. */
struct debug_stop {
	bool wanted;
	int fd; /* owned; -1: in the session that the thread is in */
	uint32_t session;
	uint32_t seconds;    /* of silence; 0: no limit */
	struct object *code; /* held */
	bool line;	     /* else a call */
};

/* Callbacks that wait in a debugger: of armed_inside. */
extern int debug_parked;

/* Control thread. Makes sure that pdb is there; -1 with CODE. */
int debug_load(struct frame_error *err);
void debug_release(void);

/* The program's thread, in a hit: tells the daemon that it is about to stop.
 * -1 with an exception that says why it cannot. */
int debug_prepare(struct debug_stop *stop, uint32_t probe);

/* The last thing of a hit: stops. Takes what the stop holds. */
void debug_run(struct debug_stop *stop, void *frame);

/* Control thread: ends a session, or with 0 all. While debug_ending(), what
 * was typed at the prompt still runs, and debug_enforce() interrupts it. */
void debug_end(uint32_t session);
bool debug_ending(void);
void debug_enforce(void);

#endif
