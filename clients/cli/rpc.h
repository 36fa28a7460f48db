/* SPDX-License-Identifier: MIT */
/*
 * rpc: JSON-RPC with the daemon: one request at a time, its answer, and the
 * records that arrive in between. One thread.
 *
 * A wait also wakes up when the process is interrupted (interrupt.h) and when
 * the reader of our output is gone, so that a verb can end in order.
 */
#ifndef NOPDB_CLI_RPC_H
#define NOPDB_CLI_RPC_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "clients/cli/view.h"
#include "proto/error.h"

#define RPC_TIMEOUT_MS 60000 /* for one answer; attach takes the longest */
#define RPC_LEAVE_MS 10000   /* the same, once interrupted */

/* Called for each record, in order; the view is valid during the call. */
typedef void rpc_record(void *arg, struct view record);

struct rpc {
	int fd;	    /* owned; -1: closed */
	char *line; /* owned: what was read and not yet used */
	size_t used;
	size_t size;
	size_t taken; /* of `line`: given out already */
	unsigned last_id;
	int status;	       /* exit status of the last error answer */
	rpc_record *on_record; /* may be NULL */
	void *arg;
	rpc_record *on_result; /* the text of the next result; may be NULL */
	int more_ms;   /* how much longer than RPC_TIMEOUT_MS an answer takes */
	bool hasty;    /* once interrupted, no answer is waited for */
	int output_fd; /* a pipe we write to, or -1 */
	bool output_closed; /* its reader is gone */
	int input_fd;	    /* wakes a wait when it can be read, or -1 */
	bool input_ready;   /* it can */
};

/* Takes fd over. */
void rpc_init(struct rpc *rpc, int fd);
void rpc_release(struct rpc *rpc);

/* Asks and waits for the answer. params is taken over, NULL for none;
 * *ret_result is the caller's (cJSON_Delete), and may be NULL when it is of no
 * interest. Errors of the daemon come as they are, with `status`. */
int rpc_call(struct rpc *rpc, const char *method, cJSON *params,
	     cJSON **ret_result, struct error *err) NOPDB_CHECKED;

/* Reads what arrives for at most timeout_ms (-1: no bound) and hands records
 * out. Returns 1 when something came, 0 on a time-out or a wake-up, -1 when
 * the daemon is gone. */
int rpc_wait(struct rpc *rpc, int timeout_ms, struct error *err) NOPDB_CHECKED;

#endif
