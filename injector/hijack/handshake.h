/* SPDX-License-Identifier: MIT */
/*
 * handshake: from the new thread's first sign to the agent loaded. Only the
 * new thread is involved, nothing is traced: its descriptors are fetched, the
 * agent's file is put in place, and it is told to go.
 */
#ifndef NOPDB_INJECTOR_HANDSHAKE_H
#define NOPDB_INJECTOR_HANDSHAKE_H

#include "injector/hijack/entry.h"

/* On success *ret_socket is our end of the control socket (owned by the
 * caller) and *ret_tid the agent's thread. On failure the new thread leaves
 * by itself. Fails with TIMEOUT, AGENT, ATTACH or TARGET_EXIT. */
int handshake_run(const struct entry *entry, int *ret_socket, pid_t *ret_tid,
		  struct error *err) NOPDB_CHECKED;

#endif
