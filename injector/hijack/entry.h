/* SPDX-License-Identifier: MIT */
/*
 * entry: the sequence by which a thread of the target is borrowed to create
 * the agent's thread. From a safe thread stopped to that thread detached,
 * exactly as it was; then nothing is traced any more.
 */
#ifndef NOPDB_INJECTOR_ENTRY_H
#define NOPDB_INJECTOR_ENTRY_H

#include "injector/hijack/sigframe.h"
#include "injector/hijack/tracee.h"
#include "injector/injector.h"
#include "injector/target/interpreter.h"
#include "injector/target/unwind.h"

struct entry {
	const struct process_id *id;
	const struct inject_options *options;
	struct interpreter *target;
	struct unwind unwind;
	struct alarm alarm;
	struct tracee tracee;
	int status; /* of the tracee, opened before it was stopped */
	unsigned fd_table;
	struct sigframe sigframe;
	uint64_t place;		 /* where the region is to be */
	uint64_t region;	 /* 0: not mapped */
	uint64_t interrupted_ns; /* when the thread was asked to stop */
	/* The agent's thread is not created by the hijacked one, but by a
	 * pending call that it adds, on Python's main thread. */
	bool invites;
	unsigned tries;
	uint64_t pause_ns;
	uint64_t longest_stop_ns;
};

/* Prepares, on the thread that will run it; the target must have been
 * resolved. Fails with NO_MEMORY or SYSTEM. */
int entry_init(struct entry *entry, const struct process_id *id,
	       const struct inject_options *options, struct interpreter *target,
	       struct error *err) NOPDB_CHECKED;
void entry_release(struct entry *entry);

/* Finds a safe thread and creates the agent's; afterwards entry->region is
 * the boot region, in which the new thread waits. To be called on a thread
 * that ends after a failure (see tracee.h). */
int entry_run(struct entry *entry, struct error *err) NOPDB_CHECKED;

/* Asks who lets us in, if there is somebody to ask (inject_options.permit). */
int entry_permit(const struct entry *entry, struct error *err) NOPDB_CHECKED;

/* Address of struct boot in the target. */
uint64_t entry_boot(const struct entry *entry);

#endif
