/* SPDX-License-Identifier: MIT */
#include "agent/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/time.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "proto/boot_fds.h"

#define REALTIME_FRESH_NS 10000000u

static int (*clock_function)(int, long *);

/* Beyond this the processor's own copying is as fast (its start costs some
 * tens of cycles); up to it, pieces that may overlap. */
enum { PIECES_MOST = 512 };

typedef long long vector
	__attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word __attribute__((aligned(1), may_alias));
typedef uint32_t half __attribute__((aligned(1), may_alias));

/* Keeps the compiler from taking the loop around it for one that memcpy or
 * memset does. */
static inline void not_a_call(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Fewer than 16 bytes. */
static inline void copy_few(char *to, const char *from, size_t size)
{
	if (size >= 8) {
		word last = *(const word *)(from + size - 8);

		*(word *)to = *(const word *)from;
		*(word *)(to + size - 8) = last;
	} else if (size >= 4) {
		half last = *(const half *)(from + size - 4);

		*(half *)to = *(const half *)from;
		*(half *)(to + size - 4) = last;
	} else if (size) {
		char middle = from[size / 2], last = from[size - 1];

		to[0] = from[0];
		to[size / 2] = middle;
		to[size - 1] = last;
	}
}

void *memcpy(void *to, const void *from, size_t size)
{
	void *start = to;
	char *t = to;
	const char *f = from;
	vector last;

	if (size < 16) {
		copy_few(t, f, size);
		return to;
	}
	if (size > PIECES_MOST) {
		__asm__ volatile("rep movsb"
				 : "+D"(to), "+S"(from), "+c"(size)
				 :
				 : "memory");
		return start;
	}
	last = *(const vector *)(f + size - 16);
	for (size_t i = 0; i + 16 < size; i += 16) {
		*(vector *)(t + i) = *(const vector *)(f + i);
		not_a_call();
	}
	*(vector *)(t + size - 16) = last;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	char *t = to;
	const char *f = from;

	if (t <= f || t >= f + size)
		return memcpy(to, from, size);
	while (size--)
		t[size] = f[size];
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	void *start = to;
	char *t = to;
	uint64_t bytes = (unsigned char)byte * 0x0101010101010101u;
	vector all = { (long long)bytes, (long long)bytes };

	if (size > PIECES_MOST || size < 16) {
		__asm__ volatile("rep stosb"
				 : "+D"(to), "+c"(size)
				 : "a"(byte)
				 : "memory");
		return start;
	}
	for (size_t i = 0; i + 16 < size; i += 16) {
		*(vector *)(t + i) = all;
		not_a_call();
	}
	*(vector *)(t + size - 16) = all;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < size; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

size_t text_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

void text_copy(char *to, size_t size, const char *text)
{
	size_t n = 0;

	if (!size)
		return;
	while (n + 1 < size && text[n]) {
		to[n] = text[n];
		n++;
	}
	to[n] = '\0';
}

const char *text_tail(const char *text, char c)
{
	const char *tail = text;

	for (; *text; text++)
		if (*text == c)
			tail = text + 1;
	return tail;
}

int text_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static void *mapped(long result)
{
	/* The kernel's error values are -4095..-1. */
	return (unsigned long)result > -4096ul ? NULL : (void *)result;
}

void *sys_map(size_t size)
{
	return mapped(sys_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

void *sys_map_shared(int fd, size_t size)
{
	return mapped(sys_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0));
}

void sys_unmap(void *address, size_t size)
{
	if (address)
		sys_call(SYS_munmap, (long)address, (long)size, 0, 0, 0, 0);
}

int sys_madvise(void *address, size_t size, int advice)
{
	return (int)sys_call(SYS_madvise, (long)address, (long)size, advice, 0,
			     0, 0);
}

int sys_protect(void *address, size_t size, int protection)
{
	return (int)sys_call(SYS_mprotect, (long)address, (long)size,
			     protection, 0, 0, 0);
}

/* For boot_fds. */
static long call(long number, long a, long b, long c)
{
	return sys_call(number, a, b, c, 0, 0, 0);
}

static int lift_from;

void sys_lift_from(int number)
{
	lift_from = number;
}

int sys_lift(int fd)
{
	return (int)boot_fds_lift(call, fd, lift_from);
}

void sys_await_standard_fds(void)
{
	boot_fds_await_standard(call);
}

int sys_open(const char *path, int flags)
{
	return sys_lift((int)sys_call(SYS_openat, AT_FDCWD, (long)path,
				      flags | O_CLOEXEC, 0, 0, 0));
}

int sys_close(int fd)
{
	return (int)sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

long sys_read(int fd, void *buf, size_t size)
{
	return sys_call(SYS_read, fd, (long)buf, (long)size, 0, 0, 0);
}

long sys_write(int fd, const void *buf, size_t size)
{
	return sys_call(SYS_write, fd, (long)buf, (long)size, 0, 0, 0);
}

long sys_working_directory(char *buf, size_t size)
{
	return sys_call(SYS_getcwd, (long)buf, (long)size, 0, 0, 0, 0);
}

int sys_gettid(void)
{
	return (int)sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

void sys_thread_name(const char *name)
{
	sys_call(SYS_prctl, PR_SET_NAME, (long)name, 0, 0, 0, 0);
}

int sys_getpid(void)
{
	return (int)sys_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

void sys_sleep_us(unsigned microseconds)
{
	long time[2] = { microseconds / 1000000,
			 (long)(microseconds % 1000000) * 1000 };

	/* What is left after a signal is in `time` again. */
	while (sys_call(SYS_nanosleep, (long)time, (long)time, 0, 0, 0, 0) ==
	       -EINTR)
		;
}

void sys_yield(void)
{
	sys_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

static uint64_t clock_read(int clock)
{
	long time[2] = { 0, 0 };

	if (clock_function)
		clock_function(clock, time);
	else
		sys_call(SYS_clock_gettime, clock, (long)time, 0, 0, 0, 0);
	return (uint64_t)time[0] * 1000000000u + (uint64_t)time[1];
}

uint64_t sys_monotonic(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t sys_realtime(void)
{
	return clock_read(CLOCK_REALTIME);
}

uint64_t sys_realtime_at(uint64_t monotonic)
{
	static uint64_t ahead, asked;

	/* Also when the moment is before that: it is unsigned. */
	if (!asked || monotonic - asked > REALTIME_FRESH_NS) {
		asked = monotonic;
		ahead = sys_realtime() - sys_monotonic();
	}
	return monotonic + ahead;
}

void sys_use_clock(int (*clock_gettime)(int, long *))
{
	clock_function = clock_gettime;
}

int sys_wait_readable(int fd, unsigned timeout_ms)
{
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	long time[2] = { timeout_ms / 1000,
			 (long)(timeout_ms % 1000) * 1000000 };
	long result;

	/* ppoll leaves the time that remains in `time`: a signal, of which this
	 * thread gets the C library's own alone, does not start it anew. */
	do
		result = sys_call(SYS_ppoll, (long)&poll, 1, (long)time, 0, 8,
				  0);
	while (result == -EINTR);
	return result > 0;
}
