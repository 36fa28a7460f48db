/* SPDX-License-Identifier: MIT */
/*
 * repr: what objects say of themselves, for probes that ask for it. Their
 * __repr__ is code of the program: it runs on the program's thread within the
 * budget of an evaluation, may give up the GIL, and raises into nothing but
 * the record. So it runs before a record is begun; the texts are kept, and
 * written with the values that they are of.
 */
#ifndef NOPDB_AGENT_REPR_H
#define NOPDB_AGENT_REPR_H

#include <stdbool.h>

#include "agent/code.h"
#include "agent/probe.h"

enum { REPR_MOST = 64 /* variables of a record, and its result */ };

/* All references are held. */
struct repr {
	struct object *object; /* NULL: nothing was asked */
	struct object *text;   /* NULL: it failed */
	struct object *error_type, *error_value;
	bool interrupted;
};

struct reprs {
	struct repr variable[REPR_MOST];
	struct repr result;
	int count;
	uint64_t live; /* live_note() of the same; 0: was not asked */
};

/* Of one object, within an open budget (hit.h); nothing for the exact built-in
 * types of data. */
void repr_ask(struct repr *repr, struct object *object, struct probe *probe);
void repr_release(struct repr *repr);

/* Of the first `count` variables of a frame, and of a result (or NULL); a probe
 * that wants the objects themselves has them noted as well. One
 * that is interrupted is the last that the probe asks. Nothing is asked while
 * code of the program runs for another probe. False: the agent was disarmed
 * meanwhile, touch nothing of its memory. */
bool reprs_make(struct reprs *reprs, struct probe *probe,
		const struct code *code, void *frame, int count,
		struct object *result);
/* May give up the GIL. */
void reprs_release(struct reprs *reprs);

/* Which ones records are written with from here on, or NULL. */
void reprs_use(const struct reprs *reprs);

/* The number of live_note(), 0 without. */
uint64_t reprs_live(void);

/* Of a variable, or -1 for the result: NULL without. */
const struct repr *reprs_of(int variable, const struct object *object);

#endif
