/* SPDX-License-Identifier: MIT */
/*
 * fake_agent: stands in for injector and agent in the daemon's tests. It
 * "enters" a process by starting a thread here that speaks the control frames
 * and writes to the ring as the agent does. What a probe does is told by the
 * function's name in its location:
 *
 *   callsN     armed, then N calls
 *   hits       armed, calls until the probe's hit limit, then DONE
 *   early      three calls before the answer to PROBE_ADD, then armed
 *   pending    pending, then armed through the ring, then one call
 *   flood      armed, calls as fast as they go until removed
 *   invalid    armed, a record that is no JSON, one with a reserved name, a
 * call refuse     an error instead of a state garbage    a datagram that is no
 * frame hang       no answer to anything any more vanish     the socket ends
 *   damage     the ring's first word is overwritten
 *   idle       armed, nothing else
 */
#ifndef NOPDB_TESTS_FAKE_AGENT_H
#define NOPDB_TESTS_FAKE_AGENT_H

#include "daemon/daemon.h"

extern const struct way_in way_in_fake;

/* The next START is answered with an error. */
void fake_agent_refuse_next_start(void);

/* So many times the agent is found not to have left. */
void fake_agent_stay(int times);

/* Have all agents ended within that time? */
bool fake_agent_gone(unsigned timeout_ms);

#endif
