/* SPDX-License-Identifier: MIT */
/*
 * losses: the captures of a probe that the program could not hand over, as its
 * agent counts them. Loop thread only.
 */
#ifndef NOPDB_DAEMON_LOSSES_H
#define NOPDB_DAEMON_LOSSES_H

struct probe;

/* Tells clients, and the daemon's counters, what got lost since this was told
 * last. */
void losses_tell(struct probe *probe);

#endif
