/* SPDX-License-Identifier: MIT */
/*
 * injector: the one header the daemon includes from this folder.
 *
 * It answers three questions about a process: what is it (inspect), may and
 * can it be entered (preflight), and please enter it (inject). All calls block
 * and may take up to their time-outs; ptrace belongs to the calling thread, so
 * one inject runs on one thread from beginning to end. No call keeps state
 * between calls; different targets may be served by different threads at once.
 */
#ifndef NOPDB_INJECTOR_INJECTOR_H
#define NOPDB_INJECTOR_INJECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

/* ---- identity: a PID that cannot be taken for another process ------------ */

struct process_id {
	pid_t pid;
	uint64_t start_time; /* clock ticks since boot, /proc/PID/stat */
	int pidfd;	     /* owned; -1 when closed */
};

/* Opens a process. Fails with NO_PROCESS, ZOMBIE (it ended, its parent has
 * not collected it) or SYSTEM. A thread id that is not a process id is
 * NO_PROCESS with the process's id in the remedy. */
int process_open(pid_t pid, struct process_id *ret_id,
		 struct error *err) NOPDB_CHECKED;

/* Still the same process, and alive? False with errno: ESRCH when it is not,
 * else why it cannot be told. */
bool process_same(const struct process_id *id);

void process_close(struct process_id *id);

/* How a process ended, as wait(2) says it. False when it did not, or when its
 * parent has collected it and the kernel (before 6.15) tells nobody else. */
bool process_exit_status(const struct process_id *id, int *ret_status);

/* A mark of the program that runs under this id: it changes with exec, unless
 * addresses are not random. 0 when it cannot be told. */
uint64_t process_program(pid_t pid);

/* ---- inspect: what it is, without touching it -----------------------------
 */

struct process_facts {
	pid_t pid;
	uid_t uid; /* of the process (effective) */
	gid_t gid;
	char state;	  /* R S D T t Z ..., from /proc/PID/stat */
	pid_t tracer;	  /* TracerPid; 0: none */
	int seccomp;	  /* 0 off, 1 strict, 2 filter */
	bool readable;	  /* /proc/PID/maps could be read */
	bool python;	  /* exports what an interpreter exports */
	uint32_t version; /* 0x030b02 for 3.11.2; 0 unknown */
	bool supported;	  /* 3.7 .. 3.15, GIL build */
	bool free_threaded;
	bool musl;
	bool foreign_root; /* its root is not ours */
	unsigned threads;
	char executable[256]; /* path of the interpreter's ELF file */
	char command[256];    /* the command line, spaces between, printable */
};

/* Reads the facts of a process; fails with NO_PROCESS or SYSTEM only.
 * What may not be read shows as `readable` false. */
int process_inspect(pid_t pid, struct process_facts *ret_facts,
		    struct error *err) NOPDB_CHECKED;

/* What a policy may hang on. */
struct process_identity {
	uid_t uid[3];	     /* real, effective, saved */
	bool program_proven; /* `program` names the very file that runs */
	char program[1024];  /* path of the executable; "" unknown */
	char cgroup[1024];   /* of version 2, else of systemd; "" unknown */
};

/* Fails with NO_PROCESS. To be bound to a process, ask process_same after. */
int process_identify(pid_t pid, struct process_identity *ret_identity,
		     struct error *err) NOPDB_CHECKED;

/* Calls visit for each process whose maps show a Python interpreter, and for
 * each that cannot be read but whose executable's name starts with "python".
 * Stops early when visit returns non-zero, which is then returned. */
typedef int process_visit(const struct process_facts *facts, void *arg);
int process_each(process_visit *visit, void *arg,
		 struct error *err) NOPDB_CHECKED;

/* ---- preflight: could it be entered now? ----------------------------------
 */

enum check_result { CHECK_OK, CHECK_WARN, CHECK_FAIL, CHECK_UNKNOWN };

struct check {
	char name[32]; /* "ptrace", "state", "seccomp", ... */
	enum check_result result;
	enum error_code code; /* what attach would fail with */
	char detail[192];
	char remedy[192]; /* "" when there is nothing to do */
};

#define CHECK_MAX 20

/* Seccomp filters can be read of a stopped thread only. PREFLIGHT_STOP: one is
 * stopped for that, for as long as entering would, if nothing else stands in
 * the way; blocks as inject_agent does. */
enum preflight_depth { PREFLIGHT_READ, PREFLIGHT_STOP };

/* Fills checks (at most CHECK_MAX) with every precondition of inject, in the
 * order inject meets them; nothing is changed in the target.
 * pid 0: the preconditions of this machine alone. Returns the number. */
int preflight(pid_t pid, enum preflight_depth depth,
	      struct check checks[CHECK_MAX]);

/* The first failed check as an error: 0 when none failed. */
int preflight_verdict(const struct check *checks, int count,
		      struct error *err) NOPDB_CHECKED;

/* ---- inject: put the agent in ----------------------------------------------
 */

struct inject_options {
	int agent_fd;	       /* the agent's .so, open for reading */
	unsigned interrupt_ms; /* one thread to stop */
	unsigned search_ms;    /* a safe thread to be found */
	unsigned call_ms;      /* the hijacked thread's part */
	unsigned handshake_ms; /* from thread start to its loading */
	/* Asked, when it is set, with a thread of the process stopped and
	 * before anything is written to it, and again before the agent is
	 * handed over: -1, with err, refuses. */
	int (*permit)(void *arg, struct error *err);
	void *permit_arg;
	/* /proc/PID/mem, opened by who may: what is read and written then,
	 * so that a process which becomes another by exec meanwhile is not
	 * touched. NULL: by the process's id. Borrowed. */
	const int *memory;
};

/* The defaults of the time-outs, in one place for the daemon's, too. */
#define INJECT_INTERRUPT_MS 1000
#define INJECT_SEARCH_MS 3000
#define INJECT_CALL_MS 2000
#define INJECT_HANDSHAKE_MS 2500

#define INJECT_OPTIONS_DEFAULT                                            \
	{                                                                 \
		.agent_fd = -1, .interrupt_ms = INJECT_INTERRUPT_MS,      \
		.search_ms = INJECT_SEARCH_MS, .call_ms = INJECT_CALL_MS, \
		.handshake_ms = INJECT_HANDSHAKE_MS                       \
	}

struct inject_report {
	int control_fd;	 /* our end of the socketpair; owned */
	pid_t agent_tid; /* the agent's thread in the target */
	pid_t hijacked_tid;
	uint32_t python_version; /* 0x030b02 */
	uint64_t region;	 /* the boot region, in the target */
	unsigned tries;		 /* threads looked at */
	bool pending_call; /* none was safe; Python's main thread did it */
	uint64_t pause_ns; /* of the hijacked thread, INTERRUPT..DETACH */
	uint64_t longest_stop_ns; /* of any thread looked at */
	uint64_t resolve_ns;	  /* symbols, nothing stopped */
	uint64_t total_ns;
};

/* Enters the process and starts the agent, which then waits on control_fd for
 * its first frame. On failure the target is as before, and err says which
 * precondition or phase failed. Blocks; ptraces from the calling thread. */
int inject_agent(const struct process_id *id,
		 const struct inject_options *options,
		 struct inject_report *ret_report,
		 struct error *err) NOPDB_CHECKED;

/* Stops one safe thread of each kind of seccomp filters for a moment, and asks
 * whether these would let the agent in. Fails as inject_agent would. */
int inject_examine(const struct process_id *id,
		   struct error *err) NOPDB_CHECKED;

/* Waits until the agent's thread and region are gone from the target (or the
 * target itself is). TIMEOUT when they are not within timeout_ms. */
int inject_wait_gone(const struct process_id *id,
		     const struct inject_report *report, unsigned timeout_ms,
		     struct error *err) NOPDB_CHECKED;

#endif
