/* SPDX-License-Identifier: MIT */
/*
 * armed: may a callback do anything? A flag in a private anonymous page with
 * MADV_WIPEONFORK, so it reads 0 in a child from its first instruction, before
 * any at-fork hook. Every callback tests it first; where it is 0, nothing of
 * ours may be touched but code and plain statics (the ring is not mapped in a
 * child, the control thread does not exist there).
 *
 * Also the count of callbacks in progress. Under the GIL it is exact: whoever
 * holds the GIL and reads 0 knows that no callback is on any stack.
 */
#ifndef NOPDB_AGENT_ARMED_H
#define NOPDB_AGENT_ARMED_H

#include <stdbool.h>

extern const volatile int *armed_flag; /* never NULL; a constant 0 before */
extern int armed_inside;	       /* callbacks in progress; GIL */

int armed_init(void); /* -1: no memory */
void armed_set(bool on);
void armed_release(void);

/* At the head of each callback: false means "answer and do nothing". When it
 * returns true, callback_leave must follow. */
static inline bool callback_enter(void)
{
	if (!*armed_flag)
		return false;
	armed_inside++;
	return true;
}

static inline void callback_leave(void)
{
	armed_inside--;
}

#endif
