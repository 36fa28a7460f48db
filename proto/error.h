/* SPDX-License-Identifier: MIT */
/*
 * error: what went wrong, in a form that works on both sides of the socket
 * and inside a target. Fixed size, caller-owned, never allocates.
 *
 * A function that can fail takes `struct error *err` as its last parameter
 * (may be NULL), sets it where the failure happens (error_set) and lets each
 * caller add its context on the way up (error_wrap). It returns 0 or -1.
 *
 * The message says what failed and why; error_remedy() says what the user can
 * do about it. Names and exit codes are wire API.
 */
#ifndef NOPDB_PROTO_ERROR_H
#define NOPDB_PROTO_ERROR_H

#include <stdarg.h>
#include <stddef.h>

/* X(code, wire name, JSON-RPC code, exit status of the command) */
#define NOPDB_ERRORS(X)                                 \
	X(NONE, "none", 0, 0)                           \
	X(PARSE, "parse", -32700, 2)                    \
	X(REQUEST, "invalid-request", -32600, 2)        \
	X(METHOD, "no-such-method", -32601, 2)          \
	X(PARAMS, "invalid-params", -32602, 2)          \
	X(INTERNAL, "internal", -32603, 6)              \
	X(USAGE, "usage", -32001, 2)                    \
	X(PROTOCOL, "protocol", -32002, 6)              \
	X(NOT_PERMITTED, "not-permitted", -32010, 3)    \
	X(NO_PROCESS, "no-such-process", -32020, 4)     \
	X(NOT_PYTHON, "not-python", -32021, 4)          \
	X(UNSUPPORTED, "unsupported-python", -32022, 4) \
	X(ZOMBIE, "zombie", -32023, 4)                  \
	X(LOCATION, "bad-location", -32030, 5)          \
	X(CONDITION, "bad-condition", -32031, 5)        \
	X(CODE, "bad-code", -32032, 5)                  \
	X(NO_PROBE, "no-such-probe", -32033, 2)         \
	X(TRACED, "already-traced", -32040, 6)          \
	X(STOPPED, "stopped", -32041, 6)                \
	X(FINALIZING, "finalizing", -32042, 6)          \
	X(NO_SAFE_THREAD, "no-safe-thread", -32043, 6)  \
	X(TIMEOUT, "timeout", -32044, 6)                \
	X(SECCOMP, "seccomp", -32045, 6)                \
	X(ENGINE, "engine", -32046, 6)                  \
	X(ATTACH, "attach-failed", -32047, 6)           \
	X(AGENT, "agent", -32048, 6)                    \
	X(NOT_ATTACHED, "not-attached", -32049, 6)      \
	X(BUSY, "busy", -32050, 6)                      \
	X(LIMIT, "limit", -32051, 6)                    \
	X(NO_MEMORY, "no-memory", -32052, 6)            \
	X(SYSTEM, "system", -32053, 6)                  \
	X(NO_DAEMON, "no-daemon", -32054, 6)            \
	X(LOST, "records-lost", -32060, 7)              \
	X(TARGET_EXIT, "target-exited", -32061, 8)

enum error_code {
#define X(code, name, rpc, status) ERROR_##code,
	NOPDB_ERRORS(X)
#undef X
		ERROR_COUNT
};

struct error {
	enum error_code code;
	int sys_errno;
	char msg[192];
	char remedy[192];
};

#define ERROR_INIT                    \
	{                             \
		ERROR_NONE, 0, "", "" \
	}

#ifdef __GNUC__
#define NOPDB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NOPDB_CHECKED __attribute__((warn_unused_result))
#else
#define NOPDB_PRINTF(fmt, args)
#define NOPDB_CHECKED
#endif

/* Records a failure; err may be NULL. Always returns -1, so that
 * `return error_set(...)` reads well. Hosted code only (uses vsnprintf). */
int error_set(struct error *err, enum error_code code, const char *fmt, ...)
	NOPDB_PRINTF(3, 4);

/* As error_set, and appends strerror(sys_errno). */
int error_set_errno(struct error *err, enum error_code code, int sys_errno,
		    const char *fmt, ...) NOPDB_PRINTF(4, 5);

/* Puts "context: " before the message. Returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) NOPDB_PRINTF(2, 3);

/* Says what the user can do; replaces an earlier remedy. Returns -1. */
int error_remedy(struct error *err, const char *fmt, ...) NOPDB_PRINTF(2, 3);

void error_clear(struct error *err);

/* Wire name, JSON-RPC code and exit status of a code; "internal" and its
 * figures for a value outside the table. */
const char *error_name(enum error_code code);
int error_rpc_code(enum error_code code);
int error_exit_status(enum error_code code);

/* The code of a wire name; ERROR_INTERNAL when unknown. */
enum error_code error_from_name(const char *name);

#endif
