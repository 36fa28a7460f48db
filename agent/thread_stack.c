/* SPDX-License-Identifier: MIT */
#include "agent/thread_stack.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "agent/python.h"
#include "agent/sys.h"

/* What glibc gives a thread where there is no limit, on x86-64. */
#define UNLIMITED_BYTES (2u << 20)

enum {
	PAGE = 4096,
	MASK_SIZE = 8,	/* the kernel's sigset_t */
	NO_ACTION = -1, /* of rt_sigprocmask */
};

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

/* The kernel reads the mask before it finds that it is to do nothing with it
 * (kernel/signal.c); the main thread's stack grows by that. */
static bool is_readable(uintptr_t address)
{
	return sys_call(SYS_rt_sigprocmask, NO_ACTION, (long)address, 0,
			MASK_SIZE, 0, 0) != -EFAULT;
}

bool thread_stack_has(size_t bytes)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & -8ul;

	for (size_t below = PAGE; below < bytes + PAGE; below += PAGE)
		if (!is_readable(here - below))
			return false;
	return true;
}
