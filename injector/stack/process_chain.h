/* SPDX-License-Identifier: MIT */
/*
 * process_chain: which process a process waits for, and so on, by what the
 * kernel says of each one's main thread; and whether one is a copy by fork.
 */
#ifndef NOPDB_INJECTOR_STACK_PROCESS_CHAIN_H
#define NOPDB_INJECTOR_STACK_PROCESS_CHAIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "injector/stack/arena.h"

/* "process 7 sh, which waits for process 8 sleep, which is in read". NULL: no
 * memory. */
const char *process_chain_text(struct arena *arena, pid_t pid);

/* Does it run on a copy of its parent's memory: forked, and no program
 * started since? */
bool process_is_copy(pid_t pid);

#endif
