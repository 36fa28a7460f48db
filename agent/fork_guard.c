/* SPDX-License-Identifier: MIT */
#include "agent/fork_guard.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/sys.h"

static fork_register *registers;
static fork_finalize *finalizes;

/* Whose handlers they are: an address of ours stands for the library. */
static char owner;

static atomic_int up;
static atomic_int waiting; /* threads in prepare() */
static bool registered;

/* On the thread that forks. A child starts with `up` as it was at the fork,
 * which is 0: a fork does not get past this while it is 1. */
static void prepare(void)
{
	atomic_fetch_add(&waiting, 1);
	while (atomic_load(&up))
		sys_yield();
	atomic_fetch_sub(&waiting, 1);
}

void fork_guard_use(fork_register *registers_, fork_finalize *finalizes_)
{
	registers = registers_;
	finalizes = finalizes_;
}

void fork_guard_up(void)
{
	if (!registers || !finalizes)
		return;
	atomic_store(&up, 1);
	registered = registers(prepare, NULL, NULL, &owner) == 0;
}

/* Nobody may be in the handler when it goes: it is code of ours. */
void fork_guard_down(void)
{
	atomic_store(&up, 0);
	if (!registered)
		return;
	finalizes(&owner);
	registered = false;
	while (atomic_load(&waiting))
		sys_yield();
}
