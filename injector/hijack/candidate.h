/* SPDX-License-Identifier: MIT */
/*
 * candidate: stops one thread and judges whether it may be hijacked. One that
 * may not is let go at once, as it was.
 */
#ifndef NOPDB_INJECTOR_CANDIDATE_H
#define NOPDB_INJECTOR_CANDIDATE_H

#include "injector/hijack/entry.h"

enum candidate_result {
	CANDIDATE_FATAL = -1, /* no other thread would do either; err set */
	CANDIDATE_SAFE,	      /* stopped, to be hijacked */
	CANDIDATE_UNSAFE,     /* let go; err says why */
};

/* What is accepted besides a safe thread. */
enum candidate_demand {
	DEMAND_SAFE,
	DEMAND_RELAXED, /* an incomplete call chain */
	/* And one in an allocator: entry->invites is set, and the thread may do
	 * no more than add a pending call. */
	DEMAND_INVITING,
};

/* Works on entry->tracee. */
enum candidate_result candidate_stop(struct entry *entry,
				     enum candidate_demand demand,
				     struct error *err);

#endif
