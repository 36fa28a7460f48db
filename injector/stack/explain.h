/* SPDX-License-Identifier: MIT */
/*
 * explain: why the threads of a picture wait, and the verdict: what holds the
 * process up.
 *
 * Called once threads and frames are read; memory is read anew. An owner is
 * proven or unknown, never guessed: what is proven was so while the thread
 * that waits did not run.
 */
#ifndef NOPDB_INJECTOR_STACK_EXPLAIN_H
#define NOPDB_INJECTOR_STACK_EXPLAIN_H

#include "injector/stack/descriptors.h"
#include "injector/stack/process_chain.h"
#include "injector/stack/reader.h"

#define EXPLAIN_FACTS 12u

/* A wait while it is put together. */
struct wait_draft {
	const char *what, *object;
	size_t owner;
	enum stack_proof proof;
	struct stack_fact fact[EXPLAIN_FACTS];
	size_t facts;
};

/* What verdicts need to know of a thread besides its wait. */
struct explained {
	uint64_t object;    /* in the target: the lock, queue, thread, ... */
	pid_t process;	    /* child or peer that it waits for; 0: none */
	uint64_t left_ns;   /* until the wait ends by itself */
	bool timed;	    /* it does */
	bool known_left;    /* left_ns is known */
	bool inner;	    /* only this process can end the wait */
	bool ended;	    /* proven: its owner is no thread any more */
	const char *remote; /* the address of a socket's peer */
};

/* A lock that a `with` block of a thread holds. */
struct hold {
	uint64_t lock;
	size_t thread, frame; /* of inside[thread].frames */
};

struct explain {
	struct stack_reader *reader;
	const struct python *python;
	struct arena *arena;
	struct explained *about; /* of each thread, then of each task */
	struct descriptors descriptors;
	size_t descriptors_told; /* among those that threads wait for */
	struct hold *holds;
	size_t hold_count, hold_room;
	bool holds_known;
	uint64_t gil_unchanged_ms; /* two looks so far apart were the same */
};

/* Fills waits and verdicts. Fails with NO_MEMORY alone. */
int stack_explain(struct stack_reader *reader, struct error *err) NOPDB_CHECKED;

/* ---- for the parts of the explanation ---------------------------------------
 *
 * What waits has an index: a thread's own, or a task's behind those of all
 * threads.
 */

/* Python's frames of what waits, innermost first. */
const struct python_frames *explain_frames(const struct explain *explain,
					   size_t index);

/* The arena's copy of a draft; NULL: no memory. */
const struct stack_wait *explain_keep(const struct explain *explain,
				      const struct wait_draft *draft);

void draft_text(struct wait_draft *draft, const char *name, const char *text);
void draft_number(struct wait_draft *draft, const char *name, int64_t number);

/* The thread with this kernel id; STACK_NO_THREAD: none. */
size_t explain_thread_of(const struct explain *explain, pid_t tid);

/* "worker (f at app.py:12)": the thread and its line outside of the modules
 * that only wait for others. Never NULL. */
const char *explain_thread_text(const struct explain *explain, size_t thread);
/* The place alone: "f at app.py:12". */
const char *explain_place(const struct explain *explain, size_t thread);

/* The thread that holds the GIL at an address, or STACK_NO_THREAD. */
size_t explain_gil_holder(const struct explain *explain, uint64_t gil);

/* Why each task waits, and which tasks it waits for. False: no memory. */
bool explain_tasks(struct explain *explain);
/* "task main (main at app.py:12)". Never NULL. */
const char *explain_task_text(const struct explain *explain, size_t task);

/* A wait for a descriptor, and for a child process. */
void wait_of_descriptor(struct explain *explain, size_t index, int fd,
			bool reads, struct wait_draft *draft);
void wait_of_child(struct explain *explain, size_t index, int64_t pid,
		   struct wait_draft *draft);
/* A wait that ends by itself, in so many nanoseconds. */
void wait_left(struct explain *explain, size_t index, uint64_t left_ns,
	       struct wait_draft *draft);

/* Why a thread waits in the kernel, as far as its system call tells. */
void wait_of_syscall(struct explain *explain, size_t thread,
		     struct wait_draft *draft);
/* The same for a futex: the GIL, a lock, a mutex. */
void wait_of_futex(struct explain *explain, size_t thread,
		   struct wait_draft *draft);
/* The end of a wait by the clock: a timespec in the target, absolute on that
 * clock, or relative (clock -1). */
void wait_until(struct explain *explain, size_t thread, uint64_t timespec,
		int clock, struct wait_draft *draft);

/* The thread in whose `with` block a lock is; STACK_NO_THREAD: none. */
size_t hold_find(struct explain *explain, uint64_t lock,
		 const struct hold **ret_hold);

/* "jobs (queue.Queue at 0x7f...)", the name as the code that waits knows it. */
const char *object_describe(const struct explain *explain, size_t index,
			    uint64_t object);

/* False: no memory. */
bool explain_verdicts(struct explain *explain);

#endif
