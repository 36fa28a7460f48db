/* SPDX-License-Identifier: MIT */
/*
 * interpreter: all that is known about a Python process before it is entered.
 * Gathered from outside, with nothing stopped; a snapshot.
 */
#ifndef NOPDB_INJECTOR_INTERPRETER_H
#define NOPDB_INJECTOR_INTERPRETER_H

#include "injector/target/memory.h"
#include "injector/target/modules.h"
#include "injector/target/symbols.h"

struct interpreter {
	pid_t pid;
	uint64_t program; /* before anything was read of it */
	uint32_t version; /* 0x030b02 */
	bool musl;
	bool free_threaded;
	const struct module *python;
	struct modules modules;
	struct memory memory;
	struct symbols symbols;
};

/* Reads the modules and finds the interpreter. Fails with NO_PROCESS, ZOMBIE,
 * NOT_PERMITTED, NOT_PYTHON, UNSUPPORTED (another CPU), BUSY (it has only
 * begun), NO_MEMORY, SYSTEM. */
int interpreter_open(struct interpreter *target, pid_t pid,
		     struct error *err) NOPDB_CHECKED;

/* Takes another of its modules for the interpreter. Fails with UNSUPPORTED
 * (another CPU, an emulator). */
int interpreter_use(struct interpreter *target, const struct module *python,
		    struct error *err) NOPDB_CHECKED;

/* Is it a Python we can work in? Fails with UNSUPPORTED, BUSY, ZOMBIE. */
int interpreter_check_version(const struct interpreter *target,
			      struct error *err) NOPDB_CHECKED;

/* Resolves target->symbols. Fails with UNSUPPORTED, BUSY, ZOMBIE or
 * NO_MEMORY. */
int interpreter_resolve(struct interpreter *target,
			struct error *err) NOPDB_CHECKED;

void interpreter_release(struct interpreter *target);

#endif
