/* SPDX-License-Identifier: MIT */
/*
 * probe_spec: what a probe is, as the daemon hands it to the agent: a
 * location, a kind, limits, and for PROBE_BREAK a script: what is evaluated in
 * the program when it gets there. Encoded as tag-length-value so that either
 * side may be newer; unknown tags are refused (a limit that is not understood
 * must not be dropped silently). Pure, shared with the agent.
 */
#ifndef NOPDB_PROTO_PROBE_SPEC_H
#define NOPDB_PROTO_PROBE_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"
#include "proto/redact.h"

enum probe_kind {
	PROBE_CALLS = 1,
	PROBE_BREAK,
};

/* Which line of the code that the other parts choose. */
enum line_kind {
	LINE_NONE,    /* none: at the call */
	LINE_NUMBER,  /* location.line */
	LINE_OFFSET,  /* location.line after the line of the def */
	LINE_TEXT,    /* its text without surrounding space: script.line */
	LINE_PATTERN, /* a regular expression that its text has */
};

enum action_kind {
	ACTION_EVAL = 1, /* an expression, whose value is captured */
	ACTION_EXEC,	 /* statements */
	ACTION_LOG,	 /* text with {expression} parts */
	ACTION_STACK,	 /* no text */
	ACTION_JUMP,	 /* "12", "+3" or the text of a line */
	ACTION_CALL,	 /* "module:function", called with the frame */
	ACTION_DEBUG,	 /* no text; what a client does comes last */
	ACTION_KINDS
};

/* Where: every part that is given ("" = not given) must match. */
struct location {
	char module[LIMIT_NAME];   /* __name__ of the globals; may be a glob */
	char file[LIMIT_PATH];	   /* co_filename; glob_match_path */
	char function[LIMIT_NAME]; /* name, qualified name, or glob of these */
	uint32_t line_kind;	   /* enum line_kind; calls: LINE_NONE */
	uint32_t line;
};

struct probe_limits {
	uint64_t hits;		    /* captures; 0: no limit */
	uint64_t time_ms;	    /* kept by the daemon */
	uint64_t rate;		    /* captures a second */
	uint32_t depth;		    /* nesting of values */
	uint32_t items;		    /* of a container */
	uint32_t string;	    /* characters, or bytes of bytes */
	uint32_t stack;		    /* frames; 0: no stack */
	uint32_t record;	    /* bytes */
	uint32_t locals;	    /* 1: capture locals at return */
	uint64_t min_duration_ns;   /* shorter calls are not captured */
	uint32_t only_exceptions;   /* 1: calls that return are not captured */
	uint32_t yields;	    /* 1: each yield of a generator as well */
	uint64_t every;		    /* 1: each hit, N: each Nth */
	uint64_t after;		    /* so many hits first go by */
	uint32_t eval_ms;	    /* CPU time of an expression; 0: no limit */
	uint32_t exec_ms;	    /* of statements */
	uint32_t debug_ms;	    /* silence in a debugger; 0: no limit */
	uint32_t arrays;	    /* 1: their whole content */
	uint32_t repr;		    /* 1: run the repr of objects */
	uint32_t live;		    /* 1: note the objects themselves */
	struct redaction redaction; /* what is withheld of values */
};

struct probe_action {
	uint32_t kind; /* enum action_kind */
	const char *text;
};

/* What a PROBE_BREAK does; calls have a thread and a callable at most. The
 * texts are not owned: decoded ones are in the buffer that was decoded. NULL:
 * not given. */
struct probe_script {
	const char *line;      /* for LINE_TEXT and LINE_PATTERN */
	const char *condition; /* an expression that must be true */
	const char *thread;    /* the name that the thread must have */
	const char *once_per;  /* an expression: one hit for each value */
	const char *callable;  /* an expression: the code of its value; then
				* the location has at most a line */
	uint32_t action_count;
	struct probe_action actions[LIMIT_ACTIONS];
};

struct probe_spec {
	uint32_t id;
	uint32_t kind; /* enum probe_kind */
	struct location where;
	struct probe_limits limits;
	struct probe_script script;
};

#define PROBE_SPEC_MAX (48u << 10) /* no encoded spec is longer */

/* Fills in the defaults of proto/limits.h. */
void probe_limits_default(struct probe_limits *limits);

/* Returns the encoded size, 0 when it does not fit. */
size_t probe_spec_encode(const struct probe_spec *spec, void *buf, size_t size);

/* Returns NULL on success, else the reason. Strings are NUL-terminated and
 * within their bounds afterwards; limits are clamped to LIMIT_*. */
const char *probe_spec_decode(const void *buf, size_t size,
			      struct probe_spec *ret_spec);

#endif
