/* SPDX-License-Identifier: MIT */
/*
 * hit_record: the `hit` record, put together from what the actions left, and
 * the `error` record of a condition or an action. GIL held and never given up.
 *
 * hit:   time, thread, function, file, line, eval [{"expr","value"|"error"}],
 *	  log [".."], stack [..], call [{"function","value"|"error"}], errors
 *[{"action","text","error"}] error: time, thread, function, file, line, where,
 *text, error, message, suppressed (how many came since the last that was told)
 *
 * An "error" is {"type","message","value"}.
 */
#ifndef NOPDB_AGENT_HIT_RECORD_H
#define NOPDB_AGENT_HIT_RECORD_H

#include "agent/code.h"
#include "agent/probe.h"

enum piece_kind { PIECE_EVAL, PIECE_LOG, PIECE_STACK, PIECE_CALL, PIECE_ERROR };

/* What one action left: a JSON value. */
struct hit_piece {
	enum piece_kind kind;
	unsigned offset, length; /* in the hit's text */
};

struct hit_place {
	const struct code *code;
	int line;
	uint64_t time; /* CLOCK_REALTIME ns */
};

/* Writes a `hit`; counts what is lost in the probe, and that a piece was cut.
 * True: written. */
bool hit_record_write(struct probe *probe, const struct hit_place *place,
		      const char *text, const struct hit_piece *piece,
		      int count, bool cut);

/* One error of a probe; where: "condition", "exec".. text: what it is in, a
 * JSON string. Takes the error indicator's exception. One a second is
 * told. */
struct hit_fault {
	const char *where;
	const char *text;
	unsigned text_length;
	struct object *type, *value; /* borrowed, not both NULL */
	struct object *traceback;    /* of an exception, or NULL */
	const char *message;	     /* instead of an exception */
};
void hit_record_error(struct probe *probe, const struct hit_place *place,
		      const struct hit_fault *fault);

/* {"type":..,"message":..}, for a fault without an exception as well. */
void hit_record_fault(struct json_writer *w, const struct probe *probe,
		      const struct hit_fault *fault);

#endif
