/* SPDX-License-Identifier: MIT */
/*
 * reader: all that one stack_read works with, from the discovery of the
 * runtime to the picture. The parts that explain the picture (waits,
 * verdicts, tasks) get the reader when every thread was read, and fill what
 * is theirs: reader->shown[i].wait, picture->verdicts, picture->tasks.
 */
#ifndef NOPDB_INJECTOR_STACK_READER_H
#define NOPDB_INJECTOR_STACK_READER_H

#include "injector/deadline.h"
#include "injector/stack/frames.h"
#include "injector/stack/greenlets.h"
#include "injector/stack/kernel.h"
#include "injector/stack/pause.h"
#include "injector/stack/runtime.h"
#include "injector/stack/stack.h"
#include "injector/stack/tasks.h"
#include "injector/stack/value.h"
#include "injector/target/core_file.h"

#define READER_MEMORY (256u << 20) /* a picture and what it is made of */
#define READER_SECONDS 20u

/* What belongs to picture->threads[i] and is not for show. */
struct reader_thread {
	struct runtime_thread python; /* state 0: not Python's */
	struct kernel_thread kernel;
	struct python_frames frames; /* of the arena */
	const struct unwind_frame *native;
	size_t native_count;
	const struct stack_local **locals; /* of each Python frame */
	size_t *local_count;
	bool read;  /* there is no more to do */
	bool alone; /* it waits, and a look at it does not do */
};

/* A look at a thread before the picture. */
struct reader_watch {
	struct kernel_watch files;
	struct kernel_thread look;
	bool fresh; /* it waited then, and the look was not used yet */
};

struct stack_reader {
	pid_t pid;		      /* 0: core */
	uint64_t program;	      /* before anything was read of it */
	const struct core_file *core; /* NULL: a live process */
	const struct stack_options *options;
	struct arena *arena; /* the picture's */
	struct stack_picture *picture;
	struct stack_thread *shown;   /* picture->threads, to be written */
	struct reader_thread *inside; /* as many */
	size_t count;
	struct reader_watch watches[WALK_PREPARE_MAX]; /* by thread id */
	size_t watch_count;
	struct tasks tasks;
	struct stack_task *shown_tasks; /* picture->tasks, as many */
	struct greenlets greenlets;
	struct deadline deadline;

	struct maps maps;
	struct modules modules;
	struct remote remote;
	struct runtime runtime; /* with struct python in it */
	struct codes codes;
	struct walker walker;
	struct names names;
	struct frames frames;
	struct values values;
	struct memory memory; /* for unwinding: what does not change */
	struct unwind unwind;
	struct unwind_frame *native; /* of the walk under way */
	struct pause pause;
};

/* Fills picture->threads from what the reader is open on. */
int reader_run(struct stack_reader *reader, struct error *err) NOPDB_CHECKED;

/* Takes memory, mappings and modules from reader->core; postmortem.c. */
int postmortem_open(struct stack_reader *reader,
		    struct error *err) NOPDB_CHECKED;

/* Its threads' ids, in the order of the core, to be freed. Fails with
 * NO_MEMORY. */
int postmortem_threads(const struct stack_reader *reader, size_t max,
		       pid_t **ret_list, size_t *ret_count, size_t *ret_more,
		       struct error *err) NOPDB_CHECKED;

/* Registers of one, and what the kernel would have said of it; NULL: the core
 * does not have it. */
const struct regs *postmortem_look(const struct stack_reader *reader, pid_t tid,
				   struct kernel_thread *ret_kernel);

/* The thread that has this thread state or this ident, or STACK_NO_THREAD. */
size_t reader_find_state(const struct stack_reader *reader, uint64_t state);
size_t reader_find_ident(const struct stack_reader *reader, uint64_t ident);

/* Lists the threads, each once; join.c. */
int reader_join_threads(struct stack_reader *reader,
			struct error *err) NOPDB_CHECKED;

/* The processes that its threads started; join.c. */
int reader_list_children(struct stack_reader *reader,
			 struct error *err) NOPDB_CHECKED;

/* Names of the threads, as threading and the kernel know them; join.c. */
void reader_name_threads(struct stack_reader *reader);

/* What can be done before the picture is taken: looks at the first threads and
 * gets room for their memory. A thread that comes later is read as well. Fails
 * with NO_PROCESS or NO_MEMORY; batch.c. */
int reader_watch(struct stack_reader *reader, struct error *err) NOPDB_CHECKED;
void reader_unwatch(struct stack_reader *reader);

/* Reads the threads that wait, many at a time: looked at by the kernel, then
 * all their frames, then once more by the kernel. Those that ran meanwhile
 * are left; batch.c. */
void reader_read_waiting(struct stack_reader *reader);

/* The frames of a thread that waits, without asking whether it still does;
 * thread.c. False: they make no sense, or it has to be stopped. */
bool reader_look(struct stack_reader *reader, size_t index);

/* What is shown of what the kernel said; thread.c. */
void reader_show_kernel(struct stack_reader *reader, size_t index);

/* After all were stopped: those that wait again where they waited have not run,
 * but for the stop; thread.c. */
void reader_settle(struct stack_reader *reader);

/* Reads one thread: its frames, twice, and what the kernel says about it
 * before and after; thread.c. */
int reader_read_thread(struct stack_reader *reader, size_t index,
		       struct error *err) NOPDB_CHECKED;

#endif
