/* SPDX-License-Identifier: MIT */
/*
 * patience: how long each phase of getting into a process may take. One that
 * is not done by then is given up, and leaves the process as it was.
 */
#ifndef NOPDB_DAEMON_PATIENCE_H
#define NOPDB_DAEMON_PATIENCE_H

#include "injector/injector.h"
#include "proto/error.h"

struct patience {
	unsigned interrupt_ms; /* one thread to stop */
	unsigned search_ms;    /* a safe thread to be found */
	unsigned call_ms;      /* the thread that is borrowed */
	unsigned handshake_ms; /* the agent's thread, from start to load */
	unsigned gil_ms;       /* the interpreter, to let the agent in */
};

#define PATIENCE_DEFAULT                                                  \
	{                                                                 \
		.interrupt_ms = INJECT_INTERRUPT_MS,                      \
		.search_ms = INJECT_SEARCH_MS, .call_ms = INJECT_CALL_MS, \
		.handshake_ms = INJECT_HANDSHAKE_MS, .gil_ms = 15000,     \
	}

/* Takes "PHASE=MS", as `search=500`. USAGE names what is wrong with it. */
int patience_parse(struct patience *patience, const char *text,
		   struct error *err) NOPDB_CHECKED;

#endif
