/* SPDX-License-Identifier: MIT */
#include "agent/thread_stack.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#include "agent/python.h"
#include "agent/sys.h"

/* What glibc gives a thread where there is no limit, on x86-64. */
#define UNLIMITED_BYTES (2u << 20)

uint64_t thread_stack_main(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	sys_call(SYS_prlimit64, 0, RLIMIT_STACK, 0, (long)&limit, 0, 0);
	return limit.rlim_cur;
}

/* glibc took the limit as its default when the program began; that it was
 * another then cannot be seen. */
uint64_t thread_stack_new(void)
{
	uint64_t size = 0;

	if (py.PyThread_get_stacksize)
		size = py.PyThread_get_stacksize();
	if (!size)
		size = thread_stack_main();
	return size == RLIM_INFINITY ? UNLIMITED_BYTES : size;
}
