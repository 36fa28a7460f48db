/* SPDX-License-Identifier: MIT */
/*
 * sys: the kernel, without a C library. Each call returns what the kernel
 * returned: a negative errno on failure. x86-64 Linux; another CPU gets its
 * own sys_call() beside this one.
 */
#ifndef NOPDB_AGENT_SYS_H
#define NOPDB_AGENT_SYS_H

#include <stddef.h>
#include <stdint.h>

/* The compiler emits calls to these even when freestanding. */
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

size_t text_length(const char *text);
/* Copies text to a buffer of size bytes, cut and NUL-terminated. */
void text_copy(char *to, size_t size, const char *text);
int text_equal(const char *a, const char *b);
/* What comes after the last c; the whole text without one. */
const char *text_tail(const char *text, char c);

long sys_call(long number, long a, long b, long c, long d, long e, long f);

/* Anonymous private zeroed pages; NULL when the kernel has none. */
void *sys_map(size_t size);
/* A shared mapping of an fd; NULL on failure. */
void *sys_map_shared(int fd, size_t size);
void sys_unmap(void *address, size_t size);
int sys_madvise(void *address, size_t size, int advice);
int sys_protect(void *address, size_t size, int protection);

int sys_open(const char *path, int flags);

/* boot_fds_lift and boot_fds_await_standard of proto/boot_fds.h. Descriptors
 * are lifted from the number that was set before. */
void sys_lift_from(int number);
int sys_lift(int fd);
void sys_await_standard_fds(void);
int sys_close(int fd);
long sys_read(int fd, void *buf, size_t size);
long sys_write(int fd, const void *buf, size_t size);
int sys_gettid(void);
/* The kernel's name of this thread: at most 15 bytes. */
void sys_thread_name(const char *name);
/* The current directory as a path; negative errno. */
long sys_working_directory(char *buf, size_t size);
int sys_getpid(void);
void sys_sleep_us(unsigned microseconds);
void sys_yield(void);

/* Nanoseconds of CLOCK_MONOTONIC and CLOCK_REALTIME; through the C library's
 * vDSO entry once python_load ran, by system call before. */
uint64_t sys_monotonic(void);
uint64_t sys_realtime(void);
/* CLOCK_REALTIME at a moment of CLOCK_MONOTONIC that is not long ago, without
 * looking: how far the one is ahead is remembered for 10 ms. GIL held. */
uint64_t sys_realtime_at(uint64_t monotonic);
void sys_use_clock(int (*clock_gettime)(int, long *));

/* Waits until fd is readable. 1: readable or at its end; 0: time is up. */
int sys_wait_readable(int fd, unsigned timeout_ms);

#endif
