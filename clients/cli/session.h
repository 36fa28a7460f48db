/* SPDX-License-Identifier: MIT */
/*
 * session: what a verb works with: its options, stdout, and the daemon once it
 * asked for it.
 */
#ifndef NOPDB_CLI_SESSION_H
#define NOPDB_CLI_SESSION_H

#include <cjson/cJSON.h>

#include "clients/cli/options.h"
#include "clients/cli/output.h"
#include "clients/cli/rpc.h"

struct session {
	const struct options *options;
	struct output output;
	struct rpc rpc;
	struct error err; /* of the call that failed last */
};

void session_init(struct session *session, const struct options *options);
void session_release(struct session *session);

/* Connects, starting the daemon when none runs, and greets it. 0 or -1. */
int session_open(struct session *session) NOPDB_CHECKED;

/* rpc_call on this session; 0 or -1 with session->err. */
int session_call(struct session *session, const char *method, cJSON *params,
		 cJSON **ret_result) NOPDB_CHECKED;

/* Reports session->err; returns the exit status it stands for. */
int session_failed(struct session *session);

/* Reports a usage error of a verb; returns its exit status. */
int session_usage(const char *verb, const char *format, ...) NOPDB_PRINTF(2, 3);

/* The status of a verb that printed all it had to: `status`, unless writing
 * failed. */
int session_finish(struct session *session, int status);

/* params with one number, for methods that name a pid or a probe. */
cJSON *params_number(const char *name, double number);

/* Members of an answer: "" and 0 when they are not there. */
const char *member_text(const cJSON *object, const char *name);
double member_number(const cJSON *object, const char *name);
const cJSON *member(const cJSON *object, const char *name);

#endif
