/* SPDX-License-Identifier: MIT */
/*
 * stub: the code that the injector copies into the target. Flat, position
 * independent, no libc: every address comes in struct boot.
 *
 * stub_create runs on the hijacked thread and does one thing. stub_thread is
 * the new thread: it makes the descriptors, waits for the agent's file, loads
 * and runs the agent, and takes everything away again, on every path.
 */
#include <asm/signal.h>
#include <asm/unistd.h>
#include <linux/time.h>

#include "injector/stub/x86_64.h"
#include "proto/boot.h"
#include "proto/boot_fds.h"

#define STUB_RTLD_NOW 2
#define STUB_RTLD_HOLD 5 /* RTLD_LAZY | RTLD_NOLOAD */
#define STUB_RTLD_DEFAULT ((void *)0)
#define STUB_JOINABLE 0 /* PTHREAD_CREATE_JOINABLE */
#define STUB_DETACHED 1 /* PTHREAD_CREATE_DETACHED */
#define STUB_PROT_READ 1
#define STUB_PROT_WRITE 2
#define STUB_PROT_EXEC 4
#define STUB_AF_UNIX 1
#define STUB_SEQPACKET 5
#define STUB_SOCK_CLOEXEC 02000000
#define STUB_MFD_CLOEXEC 1
#define STUB_MFD_NOEXEC_SEAL 8 /* Linux 6.3 */
#define STUB_PAGE 4096
#define STUB_UNSHARE 2	     /* CLOSE_RANGE_UNSHARE */
#define STUB_LEFT_TURNS 1000 /* of 1 ms */
#define STUB_BLOCKS 12	     /* together above M_TRIM_THRESHOLD, */
#define STUB_BLOCK 98304     /* each below M_MMAP_THRESHOLD */

typedef int *errno_location_fn(void);
typedef int attr_fn(void *attr);
typedef int attr_size_fn(void *attr, unsigned long size);
typedef int attr_int_fn(void *attr, int value);
typedef int create_fn(uint64_t *thread, void *attr, void *start, void *arg);
typedef int join_fn(uint64_t thread, void **result);
typedef void *dlopen_fn(const char *path, int flags);
typedef void *dlsym_fn(void *handle, const char *name);
typedef int dlclose_fn(void *handle);

/* Dl_info */
struct stub_dl_info {
	const char *file;
	void *base;
	const char *symbol;
	void *address;
};
typedef int dladdr_fn(void *address, struct stub_dl_info *info);
typedef char *dlerror_fn(void);
typedef void *malloc_fn(unsigned long size);
typedef void free_fn(void *block);
typedef int add_pending_fn(void *call, void *arg);

int stub_create(struct boot *boot);
void *stub_pending(struct boot *boot);
void *stub_thread(struct boot *boot);

static int load_int(const int32_t *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void store_int(int32_t *to, int value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

static void sleep_ns(long ns)
{
	struct timespec time = { 0, ns };

	stub_syscall(__NR_nanosleep, (long)&time, 0, 0, 0);
}

static int64_t now_ms(void)
{
	struct timespec now = { 0, 0 };

	stub_syscall(__NR_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_once(int32_t *fd)
{
	if (*fd >= 0)
		stub_syscall(__NR_close, *fd, 0, 0, 0);
	*fd = -1;
}

/* For boot_fds. */
static long call(long number, long a, long b, long c)
{
	return stub_syscall(number, a, b, c, 0);
}

static void fail(struct boot *boot, int step, long result)
{
	boot->step = step;
	boot->result = (int32_t)result;
	store_int(&boot->state, BOOT_FAILED);
}

static int create(struct boot *boot, int detached, void *start)
{
	const struct boot_libc *libc = &boot->libc;
	int result;

	result = ((attr_fn *)libc->attr_init)(boot->attr);
	if (!result)
		result = ((attr_size_fn *)libc->attr_setstacksize)(
			boot->attr, boot->stack_size);
	if (!result)
		result = ((attr_int_fn *)libc->attr_setdetachstate)(boot->attr,
								    detached);
	if (!result)
		result = ((create_fn *)libc->pthread_create)(
			&boot->pthread, boot->attr, start, boot);
	return result;
}

/* The new thread. */
static int create_thread(struct boot *boot)
{
	return create(boot, STUB_DETACHED, (void *)boot->thread_entry);
}

/* On the hijacked thread, errno left as it was. What the callee returned: 0 or
 * an error. */
__attribute__((used)) int stub_create(struct boot *boot)
{
	int *error = ((errno_location_fn *)boot->libc.errno_location)();
	int saved = *error, result;

	if (boot->add_pending)
		result = ((add_pending_fn *)boot->add_pending)(
			(void *)boot->pending_entry, boot);
	else
		result = create_thread(boot);
	*error = saved;
	return result;
}

/* On Python's main thread, with the GIL, between two of its instructions: no
 * lock of the C library is held. When the injector has given up, or there can
 * be no thread: munmap's address, for the entry to jump to. */
__attribute__((used)) void *stub_pending(struct boot *boot)
{
	int *error = ((errno_location_fn *)boot->libc.errno_location)();
	int saved = *error, failed = 1, turns = STUB_LEFT_TURNS;

	if (load_int(&boot->go) != BOOT_ABORT)
		failed = create_thread(boot);
	*error = saved;
	if (!failed)
		return 0;
	while (!load_int(&boot->left) && turns-- > 0)
		sleep_ns(1000000);
	return load_int(&boot->left) ? (void *)boot->libc.munmap : 0;
}

/* All signals are the program's but the C library's own, for which it waits.
 * Faults stay unblocked: the kernel would kill the process without its
 * handlers. */
static void block_signals(const struct boot *boot)
{
	uint64_t faults = 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) |
			  1ull << (SIGILL - 1) | 1ull << (SIGFPE - 1) |
			  1ull << (SIGTRAP - 1) | 1ull << (SIGSYS - 1);
	uint64_t mask = ~(faults | 1ull << (boot->roll_call - 1));

	stub_syscall(__NR_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0,
		     sizeof(mask));
}

/* From here on nothing in the region is both writable and executable. */
static void protect_region(const struct boot *boot)
{
	stub_syscall(__NR_mprotect, (long)boot->base, STUB_PAGE,
		     STUB_PROT_READ | STUB_PROT_EXEC, 0);
	stub_syscall(__NR_mprotect, (long)boot->base + STUB_PAGE,
		     (long)boot->length - STUB_PAGE,
		     STUB_PROT_READ | STUB_PROT_WRITE, 0);
}

/* A memfd that says it is not to be executed can still be loaded, and is
 * accepted whatever vm.memfd_noexec is; kernels before 6.3 do not know the
 * flag. Without a memfd the injector offers a file. */
static void make_memfd(struct boot *boot)
{
	char name[] = "nopdb-agent";
	long fd;

	boot_fds_await_standard(call);
	fd = stub_syscall(__NR_memfd_create, (long)name,
			  STUB_MFD_CLOEXEC | STUB_MFD_NOEXEC_SEAL, 0, 0);

	if (fd < 0)
		fd = stub_syscall(__NR_memfd_create, (long)name,
				  STUB_MFD_CLOEXEC, 0, 0);
	if (fd < 0) {
		boot->step = BOOT_STEP_MEMFD;
		boot->result = (int32_t)fd;
		fd = -1;
	}
	boot->memfd = (int32_t)boot_fds_lift(call, fd, boot->fds_from);
}

static int make_sockets(struct boot *boot)
{
	int pair[2] = { -1, -1 };
	long result;

	boot_fds_await_standard(call);
	result =
		stub_syscall(__NR_socketpair, STUB_AF_UNIX,
			     STUB_SEQPACKET | STUB_SOCK_CLOEXEC, 0, (long)pair);
	if (result < 0) {
		fail(boot, BOOT_STEP_SOCKET, result);
		return -1;
	}
	boot->daemon_socket =
		(int32_t)boot_fds_lift(call, pair[0], boot->fds_from);
	boot->agent_socket =
		(int32_t)boot_fds_lift(call, pair[1], boot->fds_from);
	return 0;
}

/* Waits for the injector's word, other than last; BOOT_ABORT when it does not
 * come in time, because then nobody is there. */
static int wait_go(struct boot *boot, int last)
{
	int64_t end = now_ms() + boot->go_timeout_ms;
	int go, turns = 0;

	while ((go = load_int(&boot->go)) == last) {
		if (now_ms() >= end) {
			boot->step = BOOT_STEP_WAIT;
			return BOOT_ABORT;
		}
		sleep_ns(turns++ < 200 ? 20000 : 2000000);
	}
	return go;
}

static void copy_message(struct boot *boot)
{
	const char *text = 0;
	unsigned i = 0;

	if (boot->libc.dlerror)
		text = ((dlerror_fn *)boot->libc.dlerror)();
	while (text && text[i] && i < sizeof(boot->message) - 1) {
		boot->message[i] = text[i];
		i++;
	}
	boot->message[i] = '\0';
}

/* A program may unload Python's library after it finalized it; we call its
 * functions until we have left. By the name that the loader has for it, no file
 * is opened. */
static void hold_python(struct boot *boot)
{
	char name[] = "dladdr";
	dladdr_fn *where =
		boot->python ? (dladdr_fn *)((dlsym_fn *)boot->libc.dlsym)(
				       STUB_RTLD_DEFAULT, name)
			     : 0;
	struct stub_dl_info info;

	if (where && where((void *)boot->python, &info) && info.file)
		boot->held = (uint64_t)((dlopen_fn *)boot->libc.dlopen)(
			info.file, STUB_RTLD_HOLD);
}

static void let_go(struct boot *boot, void *agent)
{
	dlclose_fn *close = (dlclose_fn *)boot->libc.dlclose;

	if (agent)
		close(agent);
	if (boot->held)
		close((void *)boot->held);
}

/* Loads the agent, and once more from another file if the injector has one. */
static void *load_agent(struct boot *boot)
{
	dlopen_fn *open = (dlopen_fn *)boot->libc.dlopen;
	void *handle;

	hold_python(boot);
	handle = open(boot->path, STUB_RTLD_NOW);
	if (!handle) {
		copy_message(boot);
		fail(boot, BOOT_STEP_DLOPEN, 0);
		if (wait_go(boot, BOOT_RUN) == BOOT_RETRY)
			handle = open(boot->path, STUB_RTLD_NOW);
		if (!handle && load_int(&boot->go) == BOOT_RETRY) {
			copy_message(boot);
			boot->result = 1;
			wait_go(boot, BOOT_RETRY);
		}
	}
	return handle;
}

/* glibc opens a file of /proc when a thread other than the first gives memory
 * back, and remembers what it says: check_may_shrink_heap, 2.36. The agent's
 * threads do, so this one does it before them. */
static void give_memory_back(const struct boot *boot)
{
	dlsym_fn *find = (dlsym_fn *)boot->libc.dlsym;
	char malloc_name[] = "malloc", free_name[] = "free";
	malloc_fn *get = (malloc_fn *)find(STUB_RTLD_DEFAULT, malloc_name);
	free_fn *put = (free_fn *)find(STUB_RTLD_DEFAULT, free_name);
	void *blocks[STUB_BLOCKS];
	int i;

	if (!get || !put)
		return;
	for (i = 0; i < STUB_BLOCKS; i++)
		blocks[i] = get(STUB_BLOCK);
	while (i-- > 0)
		put(blocks[i]);
}

/* What the loader and malloc open gets the lowest number that is free, where
 * the program may be about to open another. So this thread has a table of
 * descriptors of its own, and ends; not before Linux 5.9. */
static void *load_apart(void *boot)
{
	if (stub_syscall(__NR_close_range, 0, ~0u, STUB_UNSHARE, 0) < 0)
		boot_fds_await_standard(call);
	else
		give_memory_back(boot);
	return load_agent(boot);
}

static void *load(struct boot *boot)
{
	void *handle = 0;

	if (create(boot, STUB_JOINABLE, (void *)load_apart)) {
		boot_fds_await_standard(call);
		return load_agent(boot);
	}
	((join_fn *)boot->libc.pthread_join)(boot->pthread, &handle);
	return handle;
}

static void run_agent(struct boot *boot)
{
	char name[] = BOOT_AGENT_SYMBOL;
	boot_agent_fn *agent;
	int leave = BOOT_UNLOAD;
	void *handle;

	handle = load(boot);
	close_once(&boot->memfd);
	if (!handle) {
		let_go(boot, 0);
		return;
	}
	agent = (boot_agent_fn *)((dlsym_fn *)boot->libc.dlsym)(handle, name);
	if (agent) {
		store_int(&boot->state, BOOT_LOADED);
		leave = agent(boot);
	} else {
		fail(boot, BOOT_STEP_DLSYM, 0);
		wait_go(boot, load_int(&boot->go));
	}
	if (leave == BOOT_UNLOAD)
		let_go(boot, handle);
	store_int(&boot->state,
		  leave == BOOT_UNLOAD ? BOOT_DONE : BOOT_RESIDENT);
}

/* The new thread. Returns munmap's address for the entry to jump to, once the
 * hijacked thread can no longer be in the region. */
__attribute__((used)) void *stub_thread(struct boot *boot)
{
	int go;

	block_signals(boot);
	protect_region(boot);
	boot->memfd = boot->daemon_socket = boot->agent_socket = -1;
	boot->tid = (int32_t)stub_syscall(__NR_gettid, 0, 0, 0, 0);
	store_int(&boot->state, BOOT_THREAD);
	make_memfd(boot);
	if (make_sockets(boot)) {
		wait_go(boot, BOOT_WAIT);
	} else {
		store_int(&boot->state, BOOT_FDS);
		go = wait_go(boot, BOOT_WAIT);
		/* The injector holds its own copy: only then can either side
		 * see the other's end. */
		close_once(&boot->daemon_socket);
		if (go == BOOT_RUN)
			run_agent(boot);
	}
	close_once(&boot->memfd);
	close_once(&boot->daemon_socket);
	close_once(&boot->agent_socket);
	while (!load_int(&boot->left) ||
	       (boot->add_pending && !load_int(&boot->returned)))
		sleep_ns(1000000);
	/* One instruction comes after `returned`. */
	if (boot->add_pending)
		sleep_ns(20000000);
	return (void *)boot->libc.munmap;
}
