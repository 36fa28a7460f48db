/* SPDX-License-Identifier: MIT */
/*
 * alarm: ends a blocking waitpid of one thread at a deadline. Waiting asleep
 * is what keeps the target's pause short: on a busy core each poll would take
 * the processor away from the very thread that is waited for.
 *
 * A timer signals its own thread alone; the handler does nothing, EINTR is
 * all that is wanted. The signal is ALARM_SIGNAL, which the rest of the
 * process must leave alone.
 */
#ifndef NOPDB_INJECTOR_ALARM_H
#define NOPDB_INJECTOR_ALARM_H

#include <signal.h>
#include <time.h>

#include "injector/deadline.h"
#include "proto/error.h"

#define ALARM_SIGNAL (SIGRTMAX - 2)

struct alarm {
	timer_t timer;
};

/* For the calling thread, whose ALARM_SIGNAL it unblocks. Fails with SYSTEM. */
int alarm_init(struct alarm *alarm, struct error *err) NOPDB_CHECKED;
void alarm_release(struct alarm *alarm);

/* From the deadline on, system calls of the thread are interrupted, again
 * and again, so that none is missed; until the next setting. */
void alarm_set(const struct alarm *alarm, const struct deadline *deadline);
void alarm_clear(const struct alarm *alarm);

#endif
