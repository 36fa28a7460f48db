/* SPDX-License-Identifier: MIT */
/*
 * boot: the region through which the injector, the boot stub (which runs in
 * the target) and the agent speak before the control socket is up.
 *
 * The injector maps BOOT_REGION bytes in the target: the stub's code in the
 * first page (its W right is dropped once the thread runs), struct boot from
 * BOOT_DATA on, the stub's stack for the hijacked thread at the end. The
 * region goes away with the agent's thread.
 *
 * Plain data: no pointers of this process, no I/O, no allocation. All three
 * parties are built for the same machine, so fields are native.
 */
#ifndef NOPDB_PROTO_BOOT_H
#define NOPDB_PROTO_BOOT_H

#include <stdint.h>

#include "proto/limits.h"
#include "proto/symbols.h"

#define BOOT_MAGIC 0x424450504f4eull /* "NOPPDB" */
#define BOOT_REGION 0x20000u
#define BOOT_DATA 0x1000u /* struct boot starts here */
#define BOOT_PATH 256
#define BOOT_AGENT_SYMBOL "nopdb_agent_main"

/* The kernel's name (comm) of the agent's thread from the daemon's first word
 * on, and once it is on its way out. */
#define BOOT_THREAD_LIVE "nopdb-agent"
#define BOOT_THREAD_LEAVING "nopdb-leaving"

/* Where the new thread is; written by the stub, polled by the injector. */
enum boot_state {
	BOOT_FAILED = -1, /* see error; everything is undone */
	BOOT_NEW = 0,
	BOOT_THREAD = 1,   /* the thread runs; tid is valid */
	BOOT_FDS = 2,	   /* memfd and sockets are published */
	BOOT_LOADED = 3,   /* dlopen succeeded */
	BOOT_DONE = 4,	   /* the agent returned and was unloaded */
	BOOT_RESIDENT = 5, /* the agent returned and stays mapped */
};

/* What the injector answers; read by the stub. */
enum boot_go {
	BOOT_WAIT = 0,
	BOOT_RUN = 1,	/* the agent's file is in place: load it */
	BOOT_ABORT = 2, /* undo everything and end */
	BOOT_RETRY = 3, /* after BOOT_STEP_DLOPEN: load path now */
};

/* Which step failed, with a negative errno or the callee's result. */
enum boot_step {
	BOOT_STEP_NONE = 0,
	BOOT_STEP_PTHREAD, /* pthread_create; result is its return value */
	BOOT_STEP_MEMFD,   /* ladder falls back to a file; not fatal */
	BOOT_STEP_SOCKET,
	BOOT_STEP_WAIT,	  /* no go within the time-out */
	BOOT_STEP_DLOPEN, /* message holds dlerror() */
	BOOT_STEP_DLSYM,
};

/* The signal by which a C library has every thread change its ids (setuid(2) is
 * of one thread to the kernel). It holds a lock until each has taken it, so
 * that to block it is to hang the program. glibc 2.3 and later, musl 1.0 and
 * later; SIGRTMIN of the one is the other's. */
#define BOOT_SIGSETXID \
	33 /* glibc, sysdeps/unix/sysv/linux/internal-signals.h */
#define BOOT_SIGSYNCCALL 34 /* musl, src/internal/pthread_impl.h */

/* What the agent's entry returns. */
enum boot_leave {
	BOOT_UNLOAD = 0, /* nothing refers to the agent: dlclose it */
	BOOT_STAY = 1,	 /* something still does: stay mapped, inert */
};

/* Functions of the target's C library, as addresses in the target. */
struct boot_libc {
	uint64_t errno_location;
	uint64_t pthread_create;
	uint64_t pthread_join;
	uint64_t attr_init;
	uint64_t attr_setstacksize;
	uint64_t attr_setdetachstate;
	uint64_t dlopen;
	uint64_t dlsym;
	uint64_t dlclose;
	uint64_t dlerror;
	uint64_t munmap;
};

/* The symbol table handed to the agent: Python and libc addresses resolved
 * from outside, indexed by enum boot_symbol (proto/symbols.h); 0 = absent. */
struct boot_symbols {
	uint32_t version; /* NOPDB_AGENT_ABI */
	uint32_t count;	  /* SYM_COUNT */
	uint64_t address[SYM_COUNT];
};

struct boot {
	uint64_t magic;
	uint32_t version; /* NOPDB_AGENT_ABI */
	uint32_t size;	  /* sizeof(struct boot) */

	uint64_t base; /* of the region */
	uint64_t length;
	uint64_t sigframe;     /* crash-safe rt_sigframe, see hijack/ */
	uint64_t thread_entry; /* start routine for pthread_create */
	uint64_t syscall_ret;  /* gadget in libc, for the way back */
	uint64_t stack_size;   /* of the new thread */
	struct boot_libc libc;
	uint64_t attr[8]; /* room for a pthread_attr_t (56 bytes) */
	uint64_t pthread; /* pthread_t of the last thread */

	/* Written by the stub, read by the injector. */
	int32_t state; /* enum boot_state, store-release */
	int32_t step;  /* enum boot_step of a failure */
	int32_t result;
	int32_t tid;	       /* kernel id of the agent's thread */
	int32_t memfd;	       /* in the target; -1: none */
	int32_t daemon_socket; /* in the target, to be fetched */
	int32_t agent_socket;  /* the agent's end */
	char message[256];

	/* Written by the injector, and by the stub should the injector die:
	 * the hijacked thread has left the region. */
	int32_t left;

	/* Written by the injector, read by the stub and the agent. */
	int32_t go; /* enum boot_go, store-release */
	int32_t go_timeout_ms;
	uint32_t python_version; /* 0x030b02: 3.11.2; 0 when unknown */
	int32_t fds_from;	 /* where descriptors of ours go */
	char path[BOOT_PATH];	 /* what dlopen gets */

	/* Py_AddPendingCall, when Python's main thread is to create the new
	 * thread in the hijacked one's place; 0: it does so itself. returned is
	 * written by the stub: the main thread has left the region as well. */
	uint64_t add_pending;
	uint64_t pending_entry;
	int32_t returned;

	/* Written by the injector: BOOT_SIGSETXID or BOOT_SIGSYNCCALL. */
	int32_t roll_call;

	/* Written by the injector: an address in Python's library, which the
	 * stub holds while the agent is there; 0: Python is in the program. */
	uint64_t python;
	uint64_t held; /* the stub's own: the handle; 0: none */

	struct boot_symbols symbols;
};

/* The agent's entry, found with dlsym(BOOT_AGENT_SYMBOL). Runs on the new
 * thread until the agent has left; returns enum boot_leave. */
typedef int boot_agent_fn(struct boot *boot);

#endif
