/* SPDX-License-Identifier: MIT */
/* raw_sleep: for libraries in a program where the C library cannot be called
 * yet, or where a thread in it would not be entered. */
#ifndef NOPDB_TESTS_RAW_SLEEP_H
#define NOPDB_TESTS_RAW_SLEEP_H

#include <sys/syscall.h>
#include <time.h>

static inline void raw_sleep(struct timespec time)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_nanosleep), "D"(&time), "S"(0)
			 : "rcx", "r11", "memory");
}

#endif
