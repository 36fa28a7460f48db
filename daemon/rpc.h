/* SPDX-License-Identifier: MIT */
/*
 * rpc: JSON-RPC 2.0 as this daemon speaks it, one object a line. Pure
 * functions of text: requests are parsed with cJSON after one strict pass of
 * json_check (depth, UTF-8, no control characters), answers are written with
 * json_write. An id is echoed as the bytes that came.
 */
#ifndef NOPDB_DAEMON_RPC_H
#define NOPDB_DAEMON_RPC_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "proto/error.h"
#include "proto/json_write.h"
#include "proto/limits.h"

#define RPC_ID_MAX 128 /* bytes of an id's JSON text, with the NUL */
#define RPC_METHOD_MAX 64

struct rpc_request {
	cJSON *root;	     /* owned */
	const char *method;  /* into root */
	const cJSON *params; /* into root, an object; NULL: none given */
	char id[RPC_ID_MAX]; /* JSON text: string, number or null */
	size_t values;	     /* nodes of root, at most */
};

/* No request of ours holds so many values; each takes forty times the memory of
 * its text. */
#define RPC_VALUES_MAX 4096

/* Parses one line. On failure (PARSE, REQUEST, PARAMS, NO_MEMORY) the id is
 * still what the answer must carry: the request's own, or null. */
int rpc_parse(const char *text, size_t length, struct rpc_request *ret_request,
	      struct error *err) NOPDB_CHECKED;

void rpc_request_release(struct rpc_request *request);

/* Writes the members of a result; called again with a larger buffer when the
 * writer got full, so it must have no side effect. */
typedef void rpc_render(struct json_writer *w, const void *arg);

/* The line of an answer, newline included; the caller frees it. NULL: no
 * memory, or larger than RPC_ANSWER_MAX. */
#define RPC_ANSWER_MAX LIMIT_ANSWER
char *rpc_result(const char *id, rpc_render *render, const void *arg,
		 size_t *ret_length);

/* The same of an error, into the caller's buffer, so that it works without
 * memory. Returns the length. */
#define RPC_FAILURE_MAX 4096
size_t rpc_failure(const char *id, const struct error *error,
		   char line[RPC_FAILURE_MAX]);

#endif
