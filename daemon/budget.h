/* SPDX-License-Identifier: MIT */
/*
 * budget: how many bytes the daemon may hold for its clients, all of them
 * together: requests that come in, requests that wait, probes, records and
 * answers that go out. With what a target costs by itself (its ring above all)
 * this keeps the daemon below 16 MiB and 6 MiB a target, whatever clients and
 * targets do. Pure counting, loop thread only; NULL stands for no budget.
 *
 * What may be refused (captures, the growth of a long line) is refused first,
 * and one client never gets all: it may hold at most so many times what is
 * still free, as shared buffers of switches are divided. So a greedy one slows
 * nobody but itself, and every other finds room.
 */
#ifndef NOPDB_DAEMON_BUDGET_H
#define NOPDB_DAEMON_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

struct budget {
	size_t used;
	unsigned targets; /* each adds a share */
};

/* May a client that holds `own` bytes get `more`, which it could do without? */
bool budget_spares(const struct budget *budget, size_t own, size_t more);

/* Are there `more` bytes for what must not be refused lightly? A client that
 * holds next to nothing always finds them. */
bool budget_fits(const struct budget *budget, size_t own, size_t more);

/* Is more held than there may be? A share goes with its target, while what
 * waits for a client may stay. */
bool budget_over(const struct budget *budget);

void budget_take(struct budget *budget, size_t size);
void budget_give(struct budget *budget, size_t size);

#endif
