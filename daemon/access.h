/* SPDX-License-Identifier: MIT */
/*
 * access: what one peer may do with one process: the kernel's answer and the
 * policy's, about a process that is held by a pidfd, so that its id cannot be
 * taken for another's. Asked before a request is served, again with a thread
 * of the process stopped before anything is written to it, and again after
 * what was read from outside.
 *
 * An access belongs to one call or target; a worker may examine it while the
 * loop does not touch it.
 */
#ifndef NOPDB_DAEMON_ACCESS_H
#define NOPDB_DAEMON_ACCESS_H

#include <stdbool.h>

#include "daemon/peer.h"
#include "daemon/permission.h"
#include "daemon/rulebook.h"
#include "injector/injector.h"

struct verdict {
	uint32_t rights;	  /* what is left of both answers */
	struct decision decision; /* the policy's */
	struct permission_case kernel;
	bool granted; /* by the kernel */
	bool gone;    /* there is no such process for the peer */
};

struct access {
	struct rulebook *book; /* held */
	struct peer peer;      /* owned */
	struct process_id id;  /* owned */
	struct verdict verdict;
	struct permission permission; /* while it is kept open */
	int memory;		      /* /proc/PID/mem, owned; -1: not open */
};

/* Takes the process over, on success only. Fails with NO_MEMORY. */
int access_new(struct rulebook *book, const struct peer *peer,
	       struct process_id *id, struct access **ret_access,
	       struct error *err) NOPDB_CHECKED;
/* NULL is fine. */
void access_free(struct access *access);

/* Fills in the verdicts of accesses of the same peer. Blocks. What cannot be
 * asked is not granted. */
void access_examine(struct access *const *list, size_t count);

/* Keeps a child ready, so that access_again is quick, and the memory that the
 * process has now open. Fails with SYSTEM or NOT_PERMITTED. */
int access_prepare(struct access *access, struct error *err) NOPDB_CHECKED;
void access_settle(struct access *access);

/* Asks anew, the policy too; fails as access_refuse when the rights are not
 * there any more. Blocks. */
int access_again(struct access *access, uint32_t rights,
		 struct error *err) NOPDB_CHECKED;

/* Are all of these rights there? RIGHTS_ENTER is had with any of them. */
bool access_has(const struct verdict *verdict, uint32_t rights);

/* Says which right is missing, and whose word that is: NOT_PERMITTED, or
 * NO_PROCESS where the peer may not know of it. Returns -1. */
int access_refuse(const struct verdict *verdict, const struct rulebook *book,
		  const struct peer *peer, pid_t pid, uint32_t rights,
		  struct error *err);

/* The policy's word: the rule, and what it grants. */
void access_explain(const struct verdict *verdict, const struct rulebook *book,
		    const struct peer *peer, char *buf, size_t size);

#endif
