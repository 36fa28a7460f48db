/* SPDX-License-Identifier: MIT */
/* cage: seccomp filters for the thread that asks, or for all. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define CAGE_CALLS 200
#define EXPORT __attribute__((visibility("default")))

EXPORT int cage(const int *listed, int count, int catches, unsigned if_listed,
		unsigned if_not, int all_threads);
EXPORT int cage_trapped(int *ret_calls, int room);
EXPORT int cage_strict(int fd);

static int trapped[CAGE_CALLS];
static int trapped_count;

/* The call answers as if the kernel did not have it. */
static void on_trap(int number, siginfo_t *info, void *context)
{
	int at = __atomic_fetch_add(&trapped_count, 1, __ATOMIC_RELAXED);
	ucontext_t *interrupted = context;

	(void)number;
	interrupted->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
	if (at < CAGE_CALLS)
		trapped[at] = info->si_syscall;
}

static int catch_traps(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER };

	action.sa_sigaction = on_trap;
	return sigaction(SIGSYS, &action, NULL);
}

/* Answers the listed system calls with one action and all others with
 * another. Returns 0 or an errno. */
int cage(const int *listed, int count, int catches, unsigned if_listed,
	 unsigned if_not, int all_threads)
{
	struct sock_filter code[CAGE_CALLS + 4] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { 0, code };
	int at = 1;

	if (count < 0 || count > CAGE_CALLS)
		return EINVAL;
	for (int i = 0; i < count; i++)
		code[at++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)listed[i],
			(unsigned char)(count - i), 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, if_not);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, if_listed);
	program.len = (unsigned short)at;
	if ((catches && catch_traps()) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0, &program))
		return errno;
	return 0;
}

/* The calls that were trapped so far, and how many there were. */
int cage_trapped(int *ret_calls, int room)
{
	int count = __atomic_load_n(&trapped_count, __ATOMIC_RELAXED);

	for (int i = 0; i < count && i < room && i < CAGE_CALLS; i++)
		ret_calls[i] = trapped[i];
	return count;
}

/* The strict mode, until the other end of fd is closed: only read, write,
 * exit and sigreturn are left. Ends the thread, and never returns. */
int cage_strict(int fd)
{
	char byte;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0))
		return errno;
	while (read(fd, &byte, 1) == 1)
		;
	for (;;)
		syscall(SYS_exit, 0);
}
