/* SPDX-License-Identifier: MIT */
/*
 * limits: every bound that both sides of a socket or of the ring rely on, and
 * the defaults of a probe. Whatever comes off a socket or out of a target is
 * checked against these.
 */
#ifndef NOPDB_PROTO_LIMITS_H
#define NOPDB_PROTO_LIMITS_H

/* JSON-RPC dialects that the daemon speaks, `hello`. A member or method that
 * is added changes nothing; what changes a meaning is a new one. */
#define NOPDB_PROTOCOL 1
#define NOPDB_PROTOCOL_OLDEST 1
#define NOPDB_AGENT_ABI 1 /* boot region, frames, ring */

/* Socket of the clients (JSON-RPC). */
#define LIMIT_LINE (1u << 20) /* bytes in one request line */
#define LIMIT_JSON_DEPTH 64   /* nesting in a request or a record */
#define LIMIT_CLIENTS 128
#define LIMIT_USER_CLIENTS 32 /* of one user, of a daemon that serves all */
#define LIMIT_CLIENT_QUEUE (2u << 20) /* bytes queued to a slow client */
#define LIMIT_ANSWER (4u << 20)	      /* bytes in one answer */

/* Control socket between daemon and agent (SOCK_SEQPACKET). */
#define LIMIT_FRAME (64u << 10) /* bytes in one frame */

/* Ring. */
#define LIMIT_RING_MIN (64u << 10)
#define LIMIT_RING_DEFAULT (4u << 20)
#define LIMIT_RING_MAX (256u << 20)
#define LIMIT_RECORD (64u << 10) /* bytes of JSON in one record */

/* Probes. */
#define LIMIT_TARGETS 1024
#define LIMIT_USER_TARGETS 256 /* of one user, as above */
#define LIMIT_PROBES 1024      /* in one target */
#define LIMIT_NAME 256	       /* module or function pattern, with NUL */
#define LIMIT_PATH 1024	       /* file pattern, with NUL */
#define LIMIT_TEXT 1024	       /* source text, expression, with NUL */
#define LIMIT_REDACT 256       /* a list of names to redact, with NUL */
#define LIMIT_CODE 16384       /* code to execute, with NUL */
#define LIMIT_ACTIONS 16       /* of one probe */
#define LIMIT_LOCATIONS 32     /* locations listed in one answer */
#define LIMIT_DEPTH 32	       /* nesting of a captured value */
#define LIMIT_DEBUG 4096       /* bytes of a debugger's text in one message */
#define LIMIT_DEBUGGED 64      /* threads in a debugger, in one target */

/* Defaults of a probe; 0 lifts a limit. */
#define DEFAULT_HITS 100
#define DEFAULT_TIME_MS (10u * 60 * 1000)
#define DEFAULT_RATE 100 /* captures a second */
#define DEFAULT_DEPTH 2
#define DEFAULT_ITEMS 100
#define DEFAULT_STRING 255 /* characters */
#define DEFAULT_STACK 20   /* frames */
#define DEFAULT_EVAL_MS 10 /* CPU time of a condition, an expression, a log */
#define DEFAULT_EXEC_MS 1000
#define DEFAULT_DEBUG_MS 60000 /* silence that ends a debugger's session */

/* `eval` and `exec` outside of any frame. */
#define DEFAULT_EVALUATION_MS 10000 /* wall time */
#define LIMIT_EVALUATION_MS (60u * 60 * 1000)
#define LIMIT_EVALUATIONS 8 /* in one target at a time */

/* Dead man's switch. */
#define DEFAULT_HEARTBEAT_MS 1000 /* the daemon pings this often */
#define DEFAULT_SILENCE_MS 4000	  /* the agent leaves after this silence */

#endif
