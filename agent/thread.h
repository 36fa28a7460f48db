/* SPDX-License-Identifier: MIT */
/*
 * thread: who runs this? {"id": kernel thread id, "name": threading's name},
 * and, when that is not the main one, the interpreter that it is in.
 * Cached per thread state, without a system call on a hit. The name comes
 * from threading._active when the target imported it; reading it runs no user
 * code. A thread that threading does not know (C made it) has the kernel's
 * name (comm) and says so: "named_by":"kernel". The first one is "MainThread".
 */
#ifndef NOPDB_AGENT_THREAD_H
#define NOPDB_AGENT_THREAD_H

#include "proto/json_write.h"

/* Writes the members "thread" and "interpreter" for the calling thread. now:
 * CLOCK_REALTIME ns. */
void thread_write(struct json_writer *w, uint64_t now);

/* The name of the calling thread, cut to the buffer. */
void thread_name(char *buf, size_t size);

/* The kernel's id of the calling thread, GIL held. */
int thread_kernel_id(void);

void thread_release(void);

#endif
