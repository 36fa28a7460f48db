/* SPDX-License-Identifier: MIT */
/*
 * call: one request from its arrival to its answer. A method answers at once
 * or keeps the call and answers later; each call is answered exactly once,
 * which frees it. The client may leave meanwhile: then session is NULL and the
 * answer goes nowhere. Loop thread only.
 */
#ifndef NOPDB_DAEMON_CALL_H
#define NOPDB_DAEMON_CALL_H

#include <sys/queue.h>
#include <sys/types.h>

#include "daemon/access.h"
#include "daemon/rpc.h"

struct daemon;
struct method;
struct session;

/* Who asked; stays when the session is gone. */
struct call_client {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

struct call {
	TAILQ_ENTRY(call) of_session; /* while session is not NULL */
	TAILQ_ENTRY(call) waiting;    /* in the queue of who answers later */
	struct daemon *daemon;
	struct session *session;
	struct rpc_request request; /* owned */
	size_t size;		    /* charged to the daemon's budget */
	struct call_client client;
	struct access *access; /* owned; NULL: nobody had to be asked */
	const struct method *method;
	pid_t pid;    /* that was asked about; 0: none */
	bool judged;  /* somebody was asked, in whatever way */
	bool refused; /* for want of a right, however that is told */
	struct verdict verdict;
	struct error unknown; /* why its pid could not be asked about */
	uint32_t probe;	      /* that it set; 0: none */
};

TAILQ_HEAD(call_list, call);

/* Takes over a request whose line had `length` bytes. NULL when there is no
 * room (LIMIT) or no memory (NO_MEMORY): it is released, but for its id. */
struct call *call_new(struct session *session, struct rpc_request *request,
		      size_t length, struct error *err);

/* The process that the client was found to be let into, else the one that has
 * this id now. Any thread. Fails as process_open does. */
int call_open_process(const struct call *call, pid_t pid,
		      struct process_id *ret_id,
		      struct error *err) NOPDB_CHECKED;

/* Answers with a result, whose members render writes; frees the call. */
void call_answer(struct call *call, rpc_render *render, const void *arg);

/* Answers with an error; frees the call. */
void call_fail(struct call *call, const struct error *error);

/* Answers every call that waits in a queue with the same error. */
void call_fail_all(struct call_list *calls, const struct error *error);

/* The client is gone: nobody waits for the answer. */
void call_orphan(struct call *call);

#endif
