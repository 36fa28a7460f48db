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

/* Works on entry->tracee. relaxed: an incomplete call chain is accepted. */
enum candidate_result candidate_stop(struct entry *entry, bool relaxed,
				     struct error *err);

#endif
