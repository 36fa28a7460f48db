/* SPDX-License-Identifier: MIT */
/*
 * empty_agent: an agent for the tests of the injector. It takes the GIL once,
 * runs one line of Python, says so on its socket, and stays until the other
 * end is closed. Freestanding, as the real one.
 */
#include <asm/unistd.h>
#include <stdint.h>

#include "proto/boot.h"

typedef int ensure_fn(void);
typedef void release_fn(int state);
typedef int run_fn(const char *source);

int nopdb_agent_main(struct boot *boot);

static long call_kernel(long number, long a, long b, long c, long d, long e,
			long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((visibility("default"))) int nopdb_agent_main(struct boot *boot)
{
	const uint64_t *address = boot->symbols.address;
	ensure_fn *is_initialized = (ensure_fn *)address[SYM_Py_IsInitialized];
	ensure_fn *ensure = (ensure_fn *)address[SYM_PyGILState_Ensure];
	release_fn *release = (release_fn *)address[SYM_PyGILState_Release];
	run_fn *run = (run_fn *)address[SYM_PyRun_SimpleString];
	char word = 'N';
	int state;

	if (boot->magic == BOOT_MAGIC && is_initialized()) {
		state = ensure();
		word = run("import sys") == 0 ? 'Y' : 'E';
		release(state);
	}
	call_kernel(__NR_sendto, boot->agent_socket, (long)&word, 1,
		    0x4000 /* MSG_NOSIGNAL */, 0, 0);
	call_kernel(__NR_recvfrom, boot->agent_socket, (long)&word, 1, 0, 0, 0);
	return BOOT_UNLOAD;
}
