/* SPDX-License-Identifier: MIT */
/*
 * budget: code that runs in the program for a probe has so much time and no
 * more. The thread that runs it opens a budget around it; the control thread
 * looks at the open ones now and then and interrupts what is over time with an
 * asynchronous exception (a plain BaseException, which `except Exception` lets
 * through), again and again until it ends.
 *
 * Time is CPU time of the thread, so that a busy machine does not count
 * against a probe, and in the second place ten times as much by the clock.
 * What blocks in C (a lock, a sleep) is interrupted when it comes back.
 */
#ifndef NOPDB_AGENT_BUDGET_H
#define NOPDB_AGENT_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The control thread looks this often while any is open. */
enum { BUDGET_TICK_MS = 5 };

struct budget {
	struct budget *next;
	unsigned long thread; /* threading.get_ident() */
	int kernel_id;
	uint32_t ms; /* 0: no limit */
	bool seen;   /* since when, below */
	bool interrupted;
	uint64_t cpu, wall; /* ns, when first seen */
	uint64_t taken;	    /* bytes, by ration.h */
};

/* The thread that evaluates, GIL held. The struct is the caller's and stays
 * until the end. Budgets may be nested on one thread. */
void budget_begin(struct budget *budget, uint32_t ms);

/* Takes back an interruption that did not arrive. True: it was interrupted. */
bool budget_end(struct budget *budget);

/* The outermost budget that this thread has open, NULL: none. GIL held. */
struct budget *budget_of_thread(void);
static inline bool budget_open(void)
{
	return budget_of_thread() != NULL;
}

/* A thread of ours that the program's code has for itself (evaluation.h), for
 * the sake of ration.h alone: nobody interrupts it here, and probes do capture
 * what it calls. */
void budget_lend(struct budget *budget, unsigned long thread);
void budget_return(struct budget *budget);
struct budget *budget_lent(void);

/* Control thread. wanted: is any open, that is, should enforce be called?
 * Without the GIL. */
bool budget_wanted(void);
/* May one open at any time, since probes with a script are set? Else there is
 * nothing to look for. */
bool budget_watched(void);
void budget_watch(bool on);

/* Interrupts what is over time; GIL held. */
void budget_enforce(void);

#endif
