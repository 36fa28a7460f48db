/* SPDX-License-Identifier: MIT */
/*
 * permission: the kernel's own rule, asked of the kernel. A short-lived child
 * with a peer's credentials (user, group, supplementary groups; no capability
 * but what root itself has) opens /proc/PID/mem, which is the very question of
 * ptrace(2), security modules included, and asks once more through a pidfd
 * (pidfd_getfd), so that the answer is about the process that was opened and
 * about no other that got its id.
 *
 * The child outlives one question: who enters a process asks again with a
 * thread of it stopped. Blocks; any thread, one permission a thread. Reads
 * nothing of the process.
 */
#ifndef NOPDB_DAEMON_PERMISSION_H
#define NOPDB_DAEMON_PERMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/peer.h"
#include "injector/injector.h"

/* What the kernel said to a peer; 0 or an errno. */
struct permission_answer {
	int attach; /* PTRACE_MODE_ATTACH: to write to it */
	int read;   /* PTRACE_MODE_READ, which Yama does not judge */
};

struct permission {
	int fd;	     /* to the child; -1: there is none */
	pid_t child; /* ours to collect */
	size_t count;
};

#define PERMISSION_INIT                \
	{                              \
		.fd = -1, .child = -1, \
	}

#define PERMISSION_MAX 8192 /* processes that one child is asked about */

/* Starts a child that can be asked about these processes. ids[i] is a pointer
 * to a process whose pidfd stays open as long as the permission. override: the
 * memory of what Yama alone refuses is handed over as well (the answers stay
 * the peer's). Fails with SYSTEM. */
int permission_open(const struct peer *peer,
		    const struct process_id *const *ids, size_t count,
		    bool override, struct permission *ret_permission,
		    struct error *err) NOPDB_CHECKED;

/* Asks about the process of that index; about a second at most, after which
 * the child is ended and nothing more is granted. ret_memory, unless NULL, gets
 * /proc/PID/mem of a process that is granted, open for reading and writing,
 * for the caller to close: whatever the process executes later, it is the
 * memory that was asked about. -1: it is not, or not to be had. Fails with
 * NOT_PERMITTED. */
int permission_ask(struct permission *permission, size_t index,
		   struct permission_answer *ret_answer, int *ret_memory,
		   struct error *err) NOPDB_CHECKED;

/* Ends the child. Idempotent. */
void permission_close(struct permission *permission);

/* Can a daemon with our privileges take another user's credentials? */
bool permission_possible(void);

/* ---- what it means; pure
 * -------------------------------------------------------- */

struct permission_case {
	struct permission_answer answer;
	long yama;     /* its ptrace_scope; 0: off, or not there */
	bool yama_own; /* the policy's word */
	bool own;      /* all users of the process are the peer's */
};

/* Is it granted? Yama's no is overridden by nobody but a policy that says so,
 * for one's own processes, where the kernel grants all the rest. */
bool permission_granted(const struct permission_case *asked);

/* kernel.yama.ptrace_scope now. */
long permission_yama(void);

#endif
