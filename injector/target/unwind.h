/* SPDX-License-Identifier: MIT */
/*
 * unwind: the call chain of a stopped thread, with libunwind over our own
 * accessors: the unwind tables of the target's own modules, cached, and one
 * snapshot of the stack. Costs some 20 us when the tables are loaded ahead;
 * libunwind's own ptrace accessors take 2 ms and look files up in the wrong
 * mount namespace.
 *
 * One struct serves one thread of ours at a time.
 */
#ifndef NOPDB_INJECTOR_UNWIND_H
#define NOPDB_INJECTOR_UNWIND_H

#include <libunwind.h>

#include "injector/arch/arch.h"
#include "injector/target/memory.h"
#include "injector/target/modules.h"

#define UNWIND_FRAMES 1024u
#define UNWIND_STACK 65536u

struct unwind_frame {
	uint64_t pc, sp;
};

/* A walk that asked for nothing but SP, PC, tables, and this much stack: as
 * long as these are the same, so are its counters. */
struct unwind_known {
	uint64_t sp, pc;
	size_t used; /* bytes from the red zone on; 0: there is none */
	uint8_t *stack;
	size_t count;
	uint64_t *counters;
};

struct unwind {
	const struct modules *modules;
	struct memory *memory;
	unw_addr_space_t space;
	const struct regs *regs; /* of the walk under way */
	bool partial;		 /* of them only SP and PC are known */
	bool missed;		 /* another one was asked for */
	bool strayed;		 /* beyond the snapshot and the modules */
	uint64_t stack_low;
	size_t stack_size;
	size_t stack_used;
	uint8_t *stack;
	struct unwind_known known;
};

/* Both objects must outlive the unwinder. Fails with NO_MEMORY. */
int unwind_init(struct unwind *unwind, const struct modules *modules,
		struct memory *memory, struct error *err) NOPDB_CHECKED;
void unwind_release(struct unwind *unwind);

/* Loads the tables that most walks need, and walks the thread that will
 * probably be stopped, while nothing is stopped. */
void unwind_warm(struct unwind *unwind);

/* Writes the program counters, innermost first, and returns their number;
 * 0 when not even the first could be had. The walk ends early where there
 * are no tables. A thread that stands where unwind_warm() saw it is not walked
 * again. */
size_t unwind_walk(struct unwind *unwind, const struct regs *regs,
		   uint64_t *counters, size_t max);

/* The same for a thread that is not stopped but known to wait, with its stack
 * pointers. partial: only SP and PC are in regs. *ret_whole: the walk came to
 * the end of the stack, and asked for no register that is not known. */
size_t unwind_frames(struct unwind *unwind, const struct regs *regs,
		     bool partial, struct unwind_frame *frames, size_t max,
		     bool *ret_whole);

/* Where the function begins that an address lies in, by the unwind tables,
 * which no strip removes; 0: they do not tell. */
uint64_t unwind_function(struct unwind *unwind, uint64_t address);

#endif
