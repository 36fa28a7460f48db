/* SPDX-License-Identifier: MIT */
/*
 * agent: the life of the agent in a target: load the API table, meet the
 * daemon, start the engine, serve frames until told to leave (or until the
 * daemon falls silent), remove everything, go.
 *
 * nopdb_agent_main() runs on a thread of its own that the boot stub made, with
 * all signals blocked. It holds the GIL only while it does something.
 */
#ifndef NOPDB_AGENT_AGENT_H
#define NOPDB_AGENT_AGENT_H

#include "proto/boot.h"

__attribute__((visibility("default"))) int nopdb_agent_main(struct boot *boot);

#endif
