/* SPDX-License-Identifier: MIT */
/*
 * verdict: for those that draw verdicts from a picture: what they add them to.
 */
#ifndef NOPDB_INJECTOR_STACK_VERDICT_H
#define NOPDB_INJECTOR_STACK_VERDICT_H

#include "injector/stack/explain.h"

#define NAMED_MAX 16u /* threads or tasks told in one sentence */

struct court {
	struct explain *explain;
	struct stack_verdict *list;
	size_t count;
	uint8_t *seen;	 /* of each thread: it is in a verdict */
	size_t *members; /* room for the threads of one verdict */
	bool full;	 /* no memory */
};

/* Adds a verdict about the threads that are the first count members. */
void judge(struct court *court, const char *kind, size_t count,
	   const char *text);

#define say(court, ...) arena_printf((court)->explain->arena, __VA_ARGS__)

/* Both texts in one. Either may be NULL when memory is short, and then so is
 * the result; judge() notes that. */
const char *join(struct court *court, const char *left, const char *right);

/* Why a thread waits; NULL: it does not. */
const struct stack_wait *court_wait(const struct court *court, size_t thread);
bool waits_for(const struct court *court, size_t thread, const char *what);
/* The text of a fact about its wait; NULL: there is none. */
const char *court_fact(const struct court *court, size_t thread,
		       const char *name);

/* ", for 12 s more", ", for a limited time", or "". NULL: no memory. */
const char *court_left(struct court *court, const struct explained *about);

/* "thread 12 worker (f at app.py:3)" */
static inline const char *thread_text(const struct court *court, size_t thread)
{
	return explain_thread_text(court->explain, thread);
}

/* The GIL that is not let go of, and what runs when nothing holds the process
 * up; verdict_run.c. */
void find_collector(struct court *court);
void judge_gil(struct court *court);
void judge_running(struct court *court);

/* Threads that wait for one and the same peer; verdict_peer.c. */
void judge_peers(struct court *court);

/* The tasks of asyncio; verdict_task.c. */
void judge_tasks(struct court *court);

#endif
