/* SPDX-License-Identifier: MIT */
#include "injector/hijack/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "injector/arch/arch.h"
#include "injector/owned.h"
#include "injector/target/procfs.h"

#define SECCOMP_FILTERS_MAX 64u

struct need {
	const char *name;
	long number;
	bool may_fail;	/* an error is handled */
	unsigned known; /* bit per argument */
	uint64_t argument[6];
};

/* What glibc's pthread_create passes to clone. */
#define THREAD_FLAGS                                                        \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |               \
	 CLONE_CHILD_CLEARTID)
#define REGION_RIGHTS (PROT_READ | PROT_WRITE | PROT_EXEC)
#define TEXT_RIGHTS (PROT_READ | PROT_EXEC)
#define DATA_RIGHTS (PROT_READ | PROT_WRITE)

#define NEED(name)                           \
	{                                    \
#name, SYS_##name, false, 0, \
		{                            \
			0                    \
		}                            \
	}
#define NEED_OR_FAIL(name)                  \
	{                                   \
#name, SYS_##name, true, 0, \
		{                           \
			0                   \
		}                           \
	}

/* What nopdbd(8) lists; tests/live/test_seccomp.py allows nothing else. */
static const struct need needs[] = {
	/* the hijacked thread */
	{ "mmap", SYS_mmap, false, 4, { 0, 0, REGION_RIGHTS } },
	{ "clone", SYS_clone, false, 1, { THREAD_FLAGS } },
	NEED_OR_FAIL(clone3),
	{ "mprotect", SYS_mprotect, false, 4, { 0, 0, DATA_RIGHTS } },
	NEED(gettid),
	NEED(getpid),
	NEED(tgkill),
	NEED(rt_sigreturn),
	NEED(rt_sigprocmask),
	/* the new thread */
	NEED_OR_FAIL(rseq),
	NEED_OR_FAIL(set_robust_list),
	NEED_OR_FAIL(set_tid_address),
	{ "mprotect", SYS_mprotect, true, 4, { 0, 0, TEXT_RIGHTS } },
	{ "mprotect", SYS_mprotect, false, 4, { 0, 0, PROT_READ } },
	NEED_OR_FAIL(memfd_create),
	{ "socketpair",
	  SYS_socketpair,
	  false,
	  7,
	  { AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 } },
	NEED_OR_FAIL(fcntl),
	NEED(clock_gettime),
	NEED(nanosleep),
	NEED(exit),
	NEED_OR_FAIL(close_range),
	/* the loader; which of the two depends on the C library's version,
	 * and musl has an open of its own */
	NEED(openat),
	NEED_OR_FAIL(open),
	NEED(read),
	NEED(fstat),
	NEED(newfstatat),
	NEED_OR_FAIL(pread64),
	{ "mmap", SYS_mmap, false, 4, { 0, 0, TEXT_RIGHTS } },
	NEED(munmap),
	NEED(close),
	/* the allocators of the C library and of Python */
	NEED(mmap),
	NEED_OR_FAIL(mremap),
	NEED_OR_FAIL(brk),
	NEED_OR_FAIL(sched_getaffinity),
	/* the agent */
	NEED(madvise),
	NEED(futex),
	NEED(write),
	NEED(lseek),
	NEED_OR_FAIL(poll),
	NEED(ppoll),
	NEED(recvmsg),
	NEED_OR_FAIL(setsockopt),
	NEED(sendto),
	NEED_OR_FAIL(prctl),
	NEED_OR_FAIL(prlimit64),
	NEED_OR_FAIL(sched_yield),
	NEED_OR_FAIL(getcwd),
};

/* glibc (2.35 and later) ends the program when a new thread cannot register
 * what the thread that creates it has registered. */
static bool error_is_fine(const struct need *need, bool has_rseq)
{
	return need->may_fail && !(has_rseq && need->number == SYS_rseq);
}

const char *seccomp_refusal(const struct sock_filter *filter, size_t length,
			    bool has_rseq)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		struct bpf_call call = {
			.number = needs[i].number,
			.audit_arch = arch.audit_arch,
			.known = needs[i].known,
		};
		unsigned fine = BPF_ALLOWS;

		if (error_is_fine(&needs[i], has_rseq))
			fine |= BPF_ERRNO;
		memcpy(call.argument, needs[i].argument, sizeof(call.argument));
		if (bpf_answers(filter, length, &call) & ~fine)
			return needs[i].name;
	}
	return NULL;
}

static int refuse(const char *why, const char *remedy, struct error *err)
{
	error_set(err, ERROR_SECCOMP, "its seccomp filter %s", why);
	return error_remedy(err, "%s", remedy);
}

static int unreadable(int cause, struct error *err)
{
	if (cause == EACCES || cause == EPERM)
		return refuse("cannot be examined without privileges",
			      "run the daemon as root", err);
	error_set_errno(err, ERROR_SECCOMP, cause,
			"its seccomp filter cannot be examined");
	return error_remedy(err, "run the program without the filter");
}

static int check_filter(pid_t tid, unsigned long index, long length,
			bool has_rseq, struct error *err)
{
	owned_mem struct sock_filter *filter =
		calloc((size_t)length, sizeof(*filter));
	const char *refused;

	if (!filter)
		return error_set(err, ERROR_NO_MEMORY, "seccomp filter");
	if (ptrace(PTRACE_SECCOMP_GET_FILTER, tid, index, filter) != length)
		return unreadable(errno, err);
	refused = seccomp_refusal(filter, (size_t)length, has_rseq);
	if (!refused)
		return 0;
	error_set(err, ERROR_SECCOMP,
		  "its seccomp filter may refuse %s, which could end it",
		  refused);
	return error_remedy(err,
			    "allow %s in the filter, or run the program "
			    "without it",
			    refused);
}

/* Kernels before 5.13 do not tell. */
static bool may_have_rseq(pid_t tid)
{
	struct __ptrace_rseq_configuration rseq = { 0 };

	return ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof(rseq),
		      &rseq) != sizeof(rseq) ||
	       rseq.rseq_abi_pointer;
}

/* Whoever may not read filters can still tell whether there are any. */
static bool has_filters(pid_t tid)
{
	struct procfs_status status;

	return !procfs_status(tid, &status) || status.seccomp;
}

/* Does one filter of a stopped thread surely allow a call? */
static bool filter_allows(pid_t tid, unsigned long index, long length,
			  const struct bpf_call *call)
{
	owned_mem struct sock_filter *filter =
		calloc((size_t)length, sizeof(*filter));

	return filter &&
	       ptrace(PTRACE_SECCOMP_GET_FILTER, tid, index, filter) ==
		       length &&
	       bpf_answers(filter, (size_t)length, call) == BPF_ALLOWS;
}

bool seccomp_allows(pid_t tid, long number)
{
	struct bpf_call call = {
		.number = number,
		.audit_arch = arch.audit_arch,
	};

	for (unsigned long i = 0; i < SECCOMP_FILTERS_MAX; i++) {
		long length = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, i, NULL);

		/* EINVAL: the thread has none. */
		if (length < 0 && (errno == ENOENT || errno == EINVAL))
			return true;
		if (length < 0 && errno == EACCES && i == 0)
			return !has_filters(tid);
		if (length <= 0 || length > BPF_MAXINSNS ||
		    !filter_allows(tid, i, length, &call))
			return false;
	}
	return false;
}

int seccomp_check(pid_t tid, struct error *err)
{
	bool has_rseq = may_have_rseq(tid);

	for (unsigned long i = 0; i < SECCOMP_FILTERS_MAX; i++) {
		long length = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, i, NULL);

		if (length < 0 && errno == ENOENT)
			return 0;
		if (length <= 0 || length > BPF_MAXINSNS)
			return unreadable(length < 0 ? errno : EINVAL, err);
		if (check_filter(tid, i, length, has_rseq, err))
			return -1;
	}
	return refuse("is one of very many", "run the program without them",
		      err);
}
