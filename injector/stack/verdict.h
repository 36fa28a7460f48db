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

/* The tasks of asyncio; verdict_task.c. */
void judge_tasks(struct court *court);

#endif
