/* SPDX-License-Identifier: MIT */
#include "injector/hijack/safepoint.h"

#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define RSEQ_CS_OFFSET 8 /* struct rseq in linux/rseq.h */
#define ENTRY_SIZE 64	 /* _start of every C library is shorter */

/* Exports of the C library that wait in the kernel and hold nothing there. */
static const char *const waiting[] = {
	"poll",
	"ppoll",
	"select",
	"pselect",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"nanosleep",
	"clock_nanosleep",
	"usleep",
	"sleep",
	"wait",
	"wait3",
	"wait4",
	"waitpid",
	"waitid",
	"accept",
	"accept4",
	"recv",
	"recvfrom",
	"recvmsg",
	"read",
	"pause",
	"sigtimedwait",
	"sigwaitinfo",
	"sigwait",
	"sigsuspend",
	"pthread_cond_wait",
	"pthread_cond_timedwait",
	"pthread_cond_clockwait",
	"sem_wait",
	"sem_timedwait",
	"sem_clockwait",
	"pthread_join",
	"pthread_timedjoin_np",
	"pthread_mutex_lock",
	"pthread_mutex_timedlock",
	"pthread_mutex_clocklock",
	"semop",
	"semtimedop",
	"msgrcv",
	"mq_receive",
	"mq_timedreceive",
	"flock",
	"fcntl",
	"fcntl64",
	"lockf",
	"lockf64",
	"syscall",
};

/* Exports that hold locks of the C library across such waits; the first
 * ALLOCATORS are the allocator's. */
#define ALLOCATORS 13
static const char *const holding[] = {
	"malloc",
	"free",
	"cfree",
	"calloc",
	"realloc",
	"memalign",
	"aligned_alloc",
	"posix_memalign",
	"valloc",
	"pvalloc",
	"reallocarray",
	"malloc_trim",
	"mallinfo",
	"mallinfo2",
	"fork",
	"_Fork",
	"vfork",
	"dlopen",
	"dlclose",
	"dlsym",
	"dlvsym",
	"dlmopen",
	"dl_iterate_phdr",
	"pthread_create",
	"pthread_exit",
	"exit",
	"_exit",
	"setuid",
	"setgid",
	"setresuid",
	"setresgid",
	"setgroups",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A return address may be that of the next function: look before it. */
static uint64_t site(const struct safepoint *point, size_t index)
{
	return point->counters[index] - (index > 0);
}

static const struct module *module_of(const struct safepoint *point,
				      size_t index)
{
	return modules_at(point->modules, site(point, index));
}

/* Code whose locks matter. An interpreter that exports malloc as well is
 * judged by names, see in_allocator(). */
static bool is_runtime(const struct module *module)
{
	return module && !(module->traits & MODULE_PYTHON) &&
	       (module->traits & (MODULE_LD | MODULE_MALLOC | MODULE_PTHREAD |
				  MODULE_LIBC | MODULE_VDSO));
}

/* Internal aliases have two leading underscores and the same address. */
static bool listed(const char *name, const char *const *list, size_t count)
{
	if (!strncmp(name, "__libc_", 7))
		name += 7;
	else if (!strncmp(name, "__", 2))
		name += 2;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

/* Does the function at a frame have one of these names? */
static bool frame_listed(const struct safepoint *point, size_t index,
			 const char *const *list, size_t count)
{
	const struct module *module = module_of(point, index);
	struct elf_symbol *const *by_address;
	uint64_t address;
	ptrdiff_t at, first;

	if (!module || !module->loaded)
		return false;
	at = elf_image_at(&module->image, site(point, index) - module->bias);
	if (at < 0)
		return false;
	by_address = module->image.by_address;
	address = by_address[at]->address;
	for (first = at; first > 0; first--)
		if (by_address[first - 1]->address != address)
			break;
	for (size_t i = (size_t)first;
	     i < module->image.count && by_address[i]->address == address; i++)
		if (listed(by_address[i]->name, list, count))
			return true;
	return false;
}

static const char *frame_name(const struct safepoint *point, size_t index)
{
	const struct module *module = module_of(point, index);
	const char *slash;
	ptrdiff_t at;

	if (!module)
		return "unknown code";
	at = elf_image_at(&module->image, site(point, index) - module->bias);
	if (at >= 0)
		return module->image.by_address[at]->name;
	slash = strrchr(module->path, '/');
	return slash ? slash + 1 : module->path;
}

static enum safety unsafe(struct safepoint *point, const char *what,
			  size_t index)
{
	snprintf(point->why, sizeof(point->why), "%s %s", what,
		 frame_name(point, index));
	return UNSAFE;
}

/* glibc's own locks wait with FUTEX_WAIT; conditions, semaphores and the GIL
 * with FUTEX_WAIT_BITSET. Only timed waits are resumed by restart_syscall. */
static bool waits_for_program(const struct safepoint *point)
{
	enum syscall_kind kind = arch.kind(point->syscall);

	return kind == SYSCALL_RESTART ||
	       (kind == SYSCALL_FUTEX &&
		(point->futex_operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET);
}

/* A C library without unwind tables: the walk ended in its leaf, and only a
 * system call that no lock is waited for with can decide. */
static enum safety judge_blind(struct safepoint *point)
{
	enum syscall_kind kind = arch.kind(point->syscall);

	if (waits_for_program(point) ||
	    ((kind == SYSCALL_BLOCKING || kind == SYSCALL_EPOLL) &&
	     point->syscall != SYS_read))
		return SAFE;
	return unsafe(point, "no unwind tables for", 0);
}

/* Is what the innermost frames do the allocator's business? */
static bool is_allocating(const struct safepoint *point, size_t leading)
{
	const struct module *module = module_of(point, leading - 1);

	return frame_listed(point, leading - 1, holding, ALLOCATORS) ||
	       (module->traits & (MODULE_MALLOC | MODULE_LIBC)) ==
		       MODULE_MALLOC;
}

/* The C library has handlers of its own (setuid has every thread run one, and
 * waits with a lock that pthread_create needs). What they interrupted, and the
 * number of its system call, is no sign of what is done. */
static bool handles_signal(const struct safepoint *point, size_t leading)
{
	for (size_t i = 1; i < leading; i++)
		if (point->counters[i] == point->restorer)
			return true;
	return false;
}

/* The innermost frames, up to the first outside of libc: allowed only in a
 * function that waits in the kernel. */
static enum safety judge_leading(struct safepoint *point, size_t leading)
{
	const struct module *leaf = module_of(point, 0);

	if (leaf->traits & MODULE_VDSO)
		return unsafe(point, "in", 0);
	if (handles_signal(point, leading))
		return unsafe(point, "handling a signal in", 0);
	if (point->syscall < 0 || arch.kind(point->syscall) == SYSCALL_OTHER)
		return unsafe(point, "running in", leading - 1);
	if (!leaf->image.eh_frame_hdr && leading == point->count &&
	    leading <= 2)
		return judge_blind(point);
	for (size_t i = 0; i < leading; i++) {
		if (!(module_of(point, i)->traits & MODULE_LIBC))
			return unsafe(point, "waits in", i);
		if (frame_listed(point, i, holding, COUNT(holding)))
			return unsafe(point, "waits in", i);
	}
	if (!waits_for_program(point) &&
	    !frame_listed(point, leading - 1, waiting, COUNT(waiting)))
		return unsafe(point, "waits in", leading - 1);
	return SAFE;
}

/* An allocator linked into the interpreter shares its module: then a frame
 * that may hold its locks must be a named function of Python. */
static bool in_allocator(const struct safepoint *point, size_t index)
{
	const struct module *module = module_of(point, index);
	const char *name;

	if (!module || (~module->traits & (MODULE_PYTHON | MODULE_MALLOC)))
		return false;
	if (point->syscall >= 0 && arch.kind(point->syscall) != SYSCALL_FUTEX)
		return false;
	name = frame_name(point, index);
	return strncmp(name, "Py", 2) != 0 && strncmp(name, "_Py", 3) != 0;
}

static bool is_start(const struct safepoint *point, size_t index)
{
	const struct module *module = module_of(point, index);
	uint64_t address;

	if (!module || !module->loaded)
		return false;
	address = site(point, index) - module->bias;
	return address - module->image.entry < ENTRY_SIZE;
}

/* Those of the dynamic linker are the program's start, before it may be asked
 * for a thread: it relocates, or calls constructors. musl's is its libc. */
static bool is_start_of_thread(const struct module *module)
{
	return is_runtime(module) &&
	       (module->traits & (MODULE_LD | MODULE_LIBC)) != MODULE_LD;
}

/* Frames of libc at the bottom are the thread's start; with others below them
 * they are a callback's (qsort, dlopen's constructors), or a signal
 * handler's. */
static enum safety judge_rest(struct safepoint *point, size_t leading)
{
	size_t bottom = point->count;
	bool complete = is_runtime(module_of(point, bottom - 1));

	if (!complete && bottom > 1 && is_start(point, bottom - 1)) {
		bottom--;
		complete = true;
	}
	while (bottom > leading &&
	       is_start_of_thread(module_of(point, bottom - 1)))
		bottom--;
	for (size_t i = leading; i < bottom; i++)
		if (is_runtime(module_of(point, i)))
			return unsafe(point, "called from", i);
	if (complete)
		return SAFE;
	snprintf(point->why, sizeof(point->why), "its call chain ends in %s",
		 frame_name(point, point->count - 1));
	return SAFE_INCOMPLETE;
}

/* The interpreter, or an extension module of its standard library: since
 * PEP 475 (3.5) these call again after EINTR, for the time that is left. */
static bool is_python(const struct module *module)
{
	return module && (module->traits & MODULE_PYTHON ||
			  strstr(module->path, "/lib-dynload/"));
}

enum safety safepoint_judge(struct safepoint *point)
{
	size_t leading = 0;

	point->why[0] = '\0';
	point->retries = point->allocates = false;
	if (!point->count) {
		snprintf(point->why, sizeof(point->why), "no call chain");
		return UNSAFE;
	}
	while (leading < point->count && is_runtime(module_of(point, leading)))
		leading++;
	point->retries =
		leading < point->count && is_python(module_of(point, leading));
	if (leading && judge_leading(point, leading) == UNSAFE) {
		point->allocates = is_allocating(point, leading);
		return UNSAFE;
	}
	if (leading < point->count && in_allocator(point, leading))
		return unsafe(point, "perhaps in the allocator of", leading);
	/* Decided by the system call alone, or a thread of libc's own. */
	if (leading == point->count)
		return SAFE;
	return judge_rest(point, leading);
}

bool safepoint_in_rseq(const struct tracee *tracee, const struct memory *memory)
{
	struct __ptrace_rseq_configuration rseq = { 0 };
	uint64_t critical = 0;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tracee->tid, sizeof(rseq),
		   &rseq) != sizeof(rseq) ||
	    !rseq.rseq_abi_pointer)
		return false;
	return !memory_read(memory, rseq.rseq_abi_pointer + RSEQ_CS_OFFSET,
			    &critical, sizeof(critical)) ||
	       critical != 0;
}
