/* SPDX-License-Identifier: MIT */
/*
 * rights: what a client may do with a process, as bits; their names are wire
 * API and those of the policy file. Pure.
 */
#ifndef NOPDB_DAEMON_RIGHTS_H
#define NOPDB_DAEMON_RIGHTS_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "proto/json_write.h"
#include "proto/probe_spec.h"

/* X(right, name, what it lets do) */
#define NOPDB_RIGHTS(X)                                               \
	X(SEE, "see", "know of the process: ps, doctor, targets")     \
	X(STACK, "stack", "stacks from outside, without values")      \
	X(CAPTURE, "capture", "attach; probes that capture; records") \
	X(EVAL, "eval", "expressions: conditions, eval and log")      \
	X(EXEC, "exec", "code: exec, jump and call")                  \
	X(DEBUG, "debug", "stop a thread in pdb")

enum right_bit {
#define X(right, name, text) RIGHT_BIT_##right,
	NOPDB_RIGHTS(X)
#undef X
		RIGHT_COUNT
};

enum {
#define X(right, name, text) RIGHT_##right = 1u << RIGHT_BIT_##right,
	NOPDB_RIGHTS(X)
#undef X
		RIGHTS_NONE = 0,
	RIGHTS_ALL = (1u << RIGHT_COUNT) - 1,
	/* Any of these is a reason to enter a process. */
	RIGHTS_ENTER = RIGHT_CAPTURE | RIGHT_EVAL | RIGHT_EXEC | RIGHT_DEBUG,
};

/* The name of the lowest of these; "none" when there is none. */
const char *rights_name(uint32_t rights);

/* The right of this name, 0 when there is none. */
uint32_t rights_find(const char *name);

/* An array of names. */
void rights_write(struct json_writer *w, uint32_t rights);

/* "see, stack and capture", or "nothing"; cut when it does not fit. */
const char *rights_text(uint32_t rights, char *buf, size_t size);

/* What a request's parameters take beyond its method: values of variables
 * (capture), expressions (eval), actions. For params of any method. */
uint32_t rights_of_params(const cJSON *params);

/* What an action of this name takes; 0: there is none of that name. */
uint32_t rights_of_action(const char *name);

/* What it takes to have this probe at work. */
uint32_t rights_of_probe(const struct probe_spec *spec);

#endif
