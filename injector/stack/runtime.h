/* SPDX-License-Identifier: MIT */
/*
 * runtime: _PyRuntime of a target: found by its symbol, by its section, or by
 * scanning the interpreter's data, and validated before anything relies on
 * it. Then its interpreters and thread states.
 */
#ifndef NOPDB_INJECTOR_STACK_RUNTIME_H
#define NOPDB_INJECTOR_STACK_RUNTIME_H

#include "injector/stack/object.h"
#include "injector/target/maps.h"
#include "injector/target/modules.h"

#define RUNTIME_INTERPRETERS_MAX 256u

struct runtime {
	struct python python;
	uint64_t address;	     /* _PyRuntime */
	const char *found_by;	     /* "symbol", "section", "scan" */
	const struct module *module; /* that it lies in; NULL: an image */
	int ident_tid; /* 3.7-3.10: where pthread_t keeps the tid; -1 */
};

struct runtime_thread {
	uint64_t state; /* PyThreadState */
	uint64_t ident;
	pid_t tid; /* 0: unknown */
	uint64_t interpreter;
	int64_t interpreter_id;
};

/* Finds the runtime of a live process through its modules and mappings.
 * Fails with NOT_PYTHON, UNSUPPORTED, NO_MEMORY or SYSTEM. */
int runtime_find(struct runtime *runtime, struct remote *remote,
		 const struct modules *modules, const struct maps *maps,
		 struct error *err) NOPDB_CHECKED;

/* Accepts what is at an address as the runtime of this version if it passes
 * for one: lists that lead back to themselves, and, in a live process, a
 * thread that the kernel knows. */
bool runtime_accept(struct runtime *runtime, struct remote *remote,
		    uint64_t address, uint32_t version, bool free_threaded);

/* Fills the thread states of all interpreters, newest first in each; those
 * beyond max are counted. Fails with SYSTEM when a list makes no sense. */
int runtime_threads(struct runtime *runtime, struct runtime_thread *list,
		    size_t max, size_t *ret_count, size_t *ret_unread,
		    struct error *err) NOPDB_CHECKED;

uint64_t runtime_main_interpreter(const struct runtime *runtime);

/* threading.get_ident() of the main thread; 0: unknown. */
uint64_t runtime_main_ident(const struct runtime *runtime);

/* The GIL that an interpreter's threads share; 0: there is none. */
uint64_t runtime_gil(const struct runtime *runtime, uint64_t interpreter);

/* Is garbage being collected in this interpreter? */
bool runtime_collecting(const struct runtime *runtime, uint64_t interpreter);

#endif
