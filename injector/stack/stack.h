/* SPDX-License-Identifier: MIT */
/*
 * stack: what every thread of a Python process is doing, read from outside.
 * Nothing is executed in the target and, unless asked, nothing is stopped.
 *
 * stack_read fills one picture. A picture owns all that it points to (one
 * arena) and holds nothing of the target; it may be read by any thread until
 * stack_picture_free. Frames are innermost first throughout.
 */
#ifndef NOPDB_INJECTOR_STACK_STACK_H
#define NOPDB_INJECTOR_STACK_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

struct process_id;

#define STACK_THREADS_MAX 8192u /* more are counted, not read */
#define STACK_FRAMES_MAX 4096u	/* Python frames of one thread */
#define STACK_NATIVE_MAX 8192u	/* native frames of one thread */
#define STACK_TASKS_MAX 16384u	/* more are counted, not read */
#define STACK_GREENLETS_MAX 16384u
#define STACK_NO_THREAD SIZE_MAX

enum stack_native {
	STACK_NATIVE_NONE,
	STACK_NATIVE_WAITING, /* of threads that wait: none is stopped */
	STACK_NATIVE_ALL,     /* the others are stopped for a moment */
};

struct stack_options {
	enum stack_native native; /* frames to merge */
	bool locals;		  /* local variables, by the limits below */
	bool stop; /* stop all threads while reading: one instant */
	unsigned depth, items, string;
	unsigned stop_wait_ms; /* for a thread to get the CPU and stop */
};

#define STACK_OPTIONS_DEFAULT                                            \
	{                                                                \
		.native = true, .depth = 2, .items = 100, .string = 255, \
		.stop_wait_ms = 250                                      \
	}

/* ---- values: those of captures, as plain structs --------------------------
 */

enum stack_value_kind {
	STACK_VALUE_NONE,
	STACK_VALUE_BOOL,    /* integer */
	STACK_VALUE_INT,     /* integer, within 2^53 */
	STACK_VALUE_BIG_INT, /* text: its decimal digits */
	STACK_VALUE_FLOAT,   /* number */
	STACK_VALUE_STR,     /* text, UTF-8 */
	STACK_VALUE_BYTES,   /* text, raw; type tells bytes or bytearray */
	STACK_VALUE_ITEMS,   /* type: list, tuple, set, frozenset, ... */
	STACK_VALUE_DICT,    /* items: key, value, key, value */
	STACK_VALUE_OBJECT,  /* type, address; attributes may be there */
	STACK_VALUE_REF,     /* address: it contains itself */
	STACK_VALUE_UNREADABLE,
};

/* A named part of an object: "$attrs", "$items", "$name", ... */
struct stack_part {
	const char *key;
	const struct stack_value *value;
	bool members; /* value is a dict whose keys are names of attributes */
	bool bare;    /* what it holds, without what says that it is cut */
};

struct stack_value {
	enum stack_value_kind kind;
	bool truncated;	  /* length tells how long it really is */
	bool plain_type;  /* a built-in type, not a subclass of it */
	const char *type; /* of all but None, bool, int, float and str */
	const char *text; /* not ended with NUL: text_size */
	size_t text_size;
	uint64_t address;
	int64_t integer;
	double number;
	uint64_t length;
	const struct stack_value *items; /* attributes: name, value, ... */
	size_t count;
	const struct stack_part *parts; /* of an object */
	size_t part_count;
	bool nameless; /* an object whose address says nothing */
};

struct stack_local {
	const char *name;
	const struct stack_value *value;
};

/* ---- frames ---------------------------------------------------------------
 */

enum stack_frame_kind { STACK_FRAME_PYTHON, STACK_FRAME_NATIVE };

struct stack_frame {
	enum stack_frame_kind kind;
	const char *function;	/* NULL: no name is known */
	const char *module;	/* Python: __name__; native: the file's name */
	bool callee;		/* function is Python's name, not a symbol */
	const char *file;	/* NULL: unknown */
	int line, end_line;	/* 0: unknown */
	int column, end_column; /* from 1, bytes of UTF-8; 0: unknown */
	uint64_t address;	/* native: of the instruction, in the target */
	uint64_t offset;	/* native: in the function, else in the file */
	const struct stack_local *locals;
	size_t local_count;
};

/* ---- why a thread waits, and what holds the process up ---------------------
 */

/* A named detail of a wait: text, or the number when text is NULL. */
struct stack_fact {
	const char *name;
	const char *text;
	int64_t number;
};

enum stack_proof { STACK_UNKNOWN, STACK_PROVEN };

struct stack_wait {
	const char *what;   /* "gil", "lock", "fd", "child", ... */
	const char *object; /* what it waits for, in words; may be NULL */
	size_t owner;	    /* index of a thread, or STACK_NO_THREAD */
	enum stack_proof proof;
	const struct stack_fact *facts;
	size_t fact_count;
};

struct stack_verdict {
	const char *kind; /* "deadlock", "gil-hog", "peer", "child", ... */
	const char *text; /* one sentence */
	const size_t *threads;
	size_t thread_count;
};

/* A task of asyncio that is not done. */
struct stack_task {
	const char *name; /* NULL: unknown, as in 3.7 */
	uint64_t address;
	const char *state; /* "waiting", "ready", "created", "running" */
	bool stable;	   /* its loop's thread did not run meanwhile */
	bool truncated;	   /* the chain is longer */
	size_t thread;	   /* that runs its loop, or STACK_NO_THREAD */
	const struct stack_frame *frames; /* its chain of awaits */
	size_t frame_count;
	const struct stack_wait *wait; /* may be NULL */
	const size_t *awaits;	       /* indices of tasks */
	size_t await_count;
	const size_t *awaited_by;
	size_t awaited_by_count;
};

/* A greenlet that was left and not gone on with. */
struct stack_greenlet {
	uint64_t address;
	const char *type; /* as it calls itself:
			     "gevent._gevent_cgreenlet.Greenlet" */
	bool truncated;	  /* its chain is longer, or led astray */
	const struct stack_frame *frames;
	size_t frame_count;
};

/* ---- the picture -----------------------------------------------------------
 */

struct stack_thread {
	pid_t tid;		/* 0: unknown */
	uint64_t ident;		/* threading.get_ident(); 0: not Python's */
	uint64_t state_address; /* PyThreadState; 0: not Python's */
	int64_t interpreter;
	const char *name; /* threading's, else the kernel's */
	char state;	  /* R S D T t Z, of the kernel; 0: unknown */
	bool holds_gil;
	bool main;
	bool stable;	/* two walks agreed, or it was stopped */
	bool merged;	/* native frames are in frames */
	bool truncated; /* there are more frames than were read */
	bool stopped;	/* for the reading, by us */
	long syscall;	/* -1: none, or unknown */
	uint64_t arguments[6];
	uint64_t sp, pc;   /* when it waits in the kernel */
	const char *wchan; /* of uninterruptible sleep; may be NULL */
	bool collects;	   /* garbage */
	bool idle_known;
	uint64_t idle_ns; /* since it ran last, while it waits */
	const struct stack_frame *frames;
	size_t frame_count;
	const struct stack_wait *wait; /* may be NULL */
};

struct stack_gil {
	bool known, locked;
	uint64_t address;
	size_t holder; /* index of a thread, or STACK_NO_THREAD */
	uint64_t switches;
	uint64_t held_ms;  /* at least, though others want it; 0: unknown */
	const char *doing; /* what the holder does then; else NULL */
};

/* How the process of a core file ended, and what of it is at hand. */
struct stack_end {
	const char *program;	    /* its name in the kernel */
	const char *signal;	    /* "SEGV"; NULL: none that ends a process */
	pid_t thread;		    /* that got it */
	uint64_t fault;		    /* the address; 0: not told */
	bool cut;		    /* the core file is not whole */
	const char *const *missing; /* programs and libraries not found */
	size_t missing_count;
};

struct stack_picture {
	pid_t pid;
	const struct stack_end *end; /* NULL: a live process */
	uint32_t version;	     /* 0x030b02 */
	bool free_threaded;
	const char *found_by; /* "symbol", "section", "scan" */
	const char *executable;
	const struct stack_thread *threads;
	size_t thread_count;
	size_t threads_unread; /* beyond STACK_THREADS_MAX */
	struct stack_gil gil;  /* of the main interpreter */
	bool collecting;       /* garbage is being collected */
	const struct stack_task *tasks;
	size_t task_count;
	size_t tasks_unread; /* beyond STACK_TASKS_MAX */
	const struct stack_greenlet *greenlets;
	size_t greenlet_count;
	size_t greenlets_unread; /* beyond STACK_GREENLETS_MAX */
	const struct stack_verdict *verdicts;
	size_t verdict_count;
	const pid_t *children; /* processes that it started */
	size_t child_count;
	uint64_t pause_ns; /* the longest stop of any thread */
	unsigned threads_stopped;
	/* Over which it was taken: from the list of threads to the second look
	 * at them. What the first looks said holds for all of it. */
	uint64_t read_ns;
	uint64_t total_ns; /* all that was done for it */
	struct arena *arena;
};

/* Reads a picture. Fails with NO_PROCESS, ZOMBIE, NOT_PERMITTED, NOT_PYTHON,
 * UNSUPPORTED, BUSY (it has only begun, or runs in the memory of its parent),
 * NO_MEMORY, SYSTEM (its memory makes no sense), TARGET_EXIT: nothing is told
 * of another process that has the number by now. */
int stack_read(const struct process_id *id, const struct stack_options *options,
	       struct stack_picture **ret_picture,
	       struct error *err) NOPDB_CHECKED;

/* The same for the process of a core file: an open one, which is taken over.
 * root: the folder below which its files lie, "" for our own. Fails with
 * NOT_PYTHON (or no core file), UNSUPPORTED, NO_MEMORY, SYSTEM (its contents
 * make no sense). */
int stack_read_core(int fd, const char *root,
		    const struct stack_options *options,
		    struct stack_picture **ret_picture,
		    struct error *err) NOPDB_CHECKED;

void stack_picture_free(struct stack_picture *picture);

#endif
