/* SPDX-License-Identifier: MIT */
/*
 * faulty.so, preloaded into the daemon: the Nth call of one named function
 * fails, or transfers one byte. Which, and when, is in a file that the test
 * maps as well ($NOPDB_FAULTS, struct plan), so that one daemon meets all of
 * them. Every other call goes to the C library.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define NAME 32
#define SHORT (-1) /* as an error: one byte, instead of what was asked */

/* Shared with tests/live/faults.py. */
struct plan {
	char name[NAME];
	_Atomic int32_t error;
	_Atomic int32_t nth;   /* 1: the next; 0 and less: none */
	_Atomic uint32_t seen; /* calls since the plan was made */
	_Atomic uint32_t fired;
	_Atomic uint32_t armed; /* written last */
};

static struct plan *plan;

__attribute__((constructor)) static void map_plan(void)
{
	const char *path = getenv("NOPDB_FAULTS");
	long fd = path ? syscall(SYS_open, path, O_RDWR | O_CLOEXEC, 0) : -1;
	long map;

	if (fd < 0)
		return;
	map = syscall(SYS_mmap, NULL, sizeof(*plan), PROT_READ | PROT_WRITE,
		      MAP_SHARED, (int)fd, 0L);
	syscall(SYS_close, (int)fd);
	if (map > 0)
		plan = (struct plan *)map;
}

/* Is this the call? Returns what is to happen: 0 nothing, else an errno. */
static int due(const char *name)
{
	if (!plan || !atomic_load(&plan->armed) || strcmp(plan->name, name))
		return 0;
	atomic_fetch_add(&plan->seen, 1);
	if (atomic_fetch_sub(&plan->nth, 1) != 1)
		return 0;
	atomic_fetch_add(&plan->fired, 1);
	return atomic_load(&plan->error);
}

/* ---- memory: the C library's own names, because dlsym allocates */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static bool fails(const char *name)
{
	int error = due(name);

	if (error)
		errno = error;
	return error != 0;
}

EXPORT void *malloc(size_t size)
{
	return fails("malloc") ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	return fails("calloc") ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
	return fails("realloc") ? NULL : __libc_realloc(old, size);
}

EXPORT void *reallocarray(void *old, size_t count, size_t size)
{
	return fails("reallocarray") ? NULL : __libc_realloc(old, count * size);
}

/* ---- calls that fail with -1 and errno */

#define REAL(name)                     \
	static __typeof__(name) *real; \
	if (!real)                     \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* Fails when it is due; SHORT makes one byte of `size`. */
#define FAULT(name, size)                        \
	do {                                     \
		int error = due(#name);          \
		if (error == SHORT) {            \
			(size) = (size) ? 1 : 0; \
		} else if (error) {              \
			errno = error;           \
			return -1;               \
		}                                \
	} while (0)

#define CALL(type, name, params, args)  \
	EXPORT type name params         \
	{                               \
		REAL(name);             \
		size_t unused = 0;      \
		FAULT(name, unused);    \
		(void)unused;           \
		return (type)real args; \
	}

#define TRANSFER(name, params, args) \
	EXPORT ssize_t name params   \
	{                            \
		REAL(name);          \
		FAULT(name, size);   \
		return real args;    \
	}

/* An eventfd fails only when it would block: libuv rightly ends the process at
 * anything else. Anonymous files have no type. */
static bool can_fail(int fd)
{
	struct stat file;

	return !syscall(SYS_fstat, fd, &file) && file.st_mode & S_IFMT;
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
	REAL(write);

	if (can_fail(fd))
		FAULT(write, size);
	return real(fd, data, size);
}

EXPORT ssize_t read(int fd, void *data, size_t size)
{
	REAL(read);

	if (can_fail(fd))
		FAULT(read, size);
	return real(fd, data, size);
}

TRANSFER(pread, (int fd, void *data, size_t size, off_t at),
	 (fd, data, size, at))
TRANSFER(sendfile, (int out, int in, off_t *at, size_t size),
	 (out, in, at, size))

CALL(ssize_t, process_vm_readv,
     (pid_t pid, const struct iovec *to, unsigned long count,
      const struct iovec *from, unsigned long from_count, unsigned long flags),
     (pid, to, count, from, from_count, flags))
CALL(ssize_t, process_vm_writev,
     (pid_t pid, const struct iovec *from, unsigned long count,
      const struct iovec *to, unsigned long to_count, unsigned long flags),
     (pid, from, count, to, to_count, flags))
TRANSFER(send, (int fd, const void *data, size_t size, int flags),
	 (fd, data, size, flags))
TRANSFER(recv, (int fd, void *data, size_t size, int flags),
	 (fd, data, size, flags))
TRANSFER(getrandom, (void *data, size_t size, unsigned flags),
	 (data, size, flags))

CALL(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
     (fd, msg, flags))
CALL(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags),
     (fd, msg, flags))
CALL(ssize_t, readlink, (const char *path, char *data, size_t size),
     (path, data, size))
CALL(int, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds))
CALL(int, accept4,
     (int fd, struct sockaddr *address, socklen_t *size, int flags),
     (fd, address, size, flags))
CALL(int, getsockopt,
     (int fd, int level, int name, void *value, socklen_t *size),
     (fd, level, name, value, size))
CALL(int, setsockopt,
     (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size))
CALL(int, eventfd, (unsigned count, int flags), (count, flags))
CALL(int, memfd_create, (const char *name, unsigned flags), (name, flags))
CALL(int, ftruncate, (int fd, off_t size), (fd, size))
CALL(int, stat, (const char *path, struct stat *data), (path, data))
CALL(int, fstat, (int fd, struct stat *data), (fd, data))
CALL(int, pipe2, (int fds[2], int flags), (fds, flags))
CALL(int, poll, (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms))
CALL(ssize_t, readlinkat, (int at, const char *path, char *data, size_t size),
     (at, path, data, size))
CALL(int, access, (const char *path, int mode), (path, mode))
CALL(int, setpriority, (__priority_which_t which, id_t who, int value),
     (which, who, value))
CALL(int, timer_create,
     (clockid_t clock, struct sigevent *event, timer_t *timer),
     (clock, event, timer))
CALL(int, timer_settime,
     (timer_t timer, int flags, const struct itimerspec *value,
      struct itimerspec *old),
     (timer, flags, value, old))
CALL(pid_t, fork, (void), ())
CALL(pid_t, waitpid, (pid_t pid, int *status, int options),
     (pid, status, options))

EXPORT void *mmap(void *at, size_t size, int access, int flags, int fd,
		  off_t offset)
{
	REAL(mmap);
	int error = due("mmap");

	if (error) {
		errno = error;
		return MAP_FAILED;
	}
	return real(at, size, access, flags, fd, offset);
}

#define POINTER(type, name, params, args) \
	EXPORT type *name params          \
	{                                 \
		REAL(name);               \
		int error = due(#name);   \
		if (error) {              \
			errno = error;    \
			return NULL;      \
		}                         \
		return real args;         \
	}

POINTER(DIR, opendir, (const char *path), (path))
POINTER(struct dirent, readdir, (DIR * dir), (dir))

/* ---- those with a variable list */

#define OPEN(name)                                        \
	EXPORT int name(const char *path, int flags, ...) \
	{                                                 \
		REAL(name);                               \
		size_t unused = 0;                        \
		mode_t mode = 0;                          \
		va_list rest;                             \
		va_start(rest, flags);                    \
		if (flags & (O_CREAT | O_TMPFILE))        \
			mode = va_arg(rest, mode_t);      \
		va_end(rest);                             \
		FAULT(name, unused);                      \
		(void)unused;                             \
		return real(path, flags, mode);           \
	}

OPEN(open)
OPEN(open64)

EXPORT int openat(int at, const char *path, int flags, ...)
{
	REAL(openat);
	size_t unused = 0;
	mode_t mode = 0;
	va_list rest;

	va_start(rest, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(rest, mode_t);
	va_end(rest);
	FAULT(openat, unused);
	(void)unused;
	return real(at, path, flags, mode);
}

EXPORT int fcntl(int fd, int command, ...)
{
	static int (*real)(int, int, ...);
	size_t unused = 0;
	va_list rest;
	void *arg;

	if (!real)
		real = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl");
	va_start(rest, command);
	arg = va_arg(rest, void *);
	va_end(rest);
	FAULT(fcntl, unused);
	(void)unused;
	return real(fd, command, arg);
}

EXPORT long ptrace(enum __ptrace_request request, ...)
{
	static long (*real)(enum __ptrace_request, ...);
	size_t unused = 0;
	va_list rest;
	pid_t pid;
	void *addr, *data;

	if (!real)
		real = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT,
								   "ptrace");
	va_start(rest, request);
	pid = va_arg(rest, pid_t);
	addr = va_arg(rest, void *);
	data = va_arg(rest, void *);
	va_end(rest);
	FAULT(ptrace, unused);
	(void)unused;
	return real(request, pid, addr, data);
}

/* By number, where the daemon has no function for it. */
static const char *syscall_name(long number)
{
	switch (number) {
	case SYS_pidfd_open:
		return "pidfd_open";
	case SYS_pidfd_getfd:
		return "pidfd_getfd";
	case SYS_pidfd_send_signal:
		return "pidfd_send_signal";
	case SYS_openat2:
		return "openat2";
	case SYS_tgkill:
		return "tgkill";
	case SYS_rt_tgsigqueueinfo:
		return "rt_tgsigqueueinfo";
	default:
		return "syscall";
	}
}

EXPORT long syscall(long number, ...)
{
	static long (*real)(long, ...);
	const char *name = syscall_name(number);
	long args[6];
	va_list rest;
	int error;

	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	va_start(rest, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(rest, long);
	va_end(rest);
	error = due(name);
	if (error) {
		errno = error;
		return -1;
	}
	return real(number, args[0], args[1], args[2], args[3], args[4],
		    args[5]);
}

/* ---- those that return their error */

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg)
{
	REAL(pthread_create);
	int error = due("pthread_create");

	return error ? error : real(thread, attr, run, arg);
}
