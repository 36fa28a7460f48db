/* SPDX-License-Identifier: MIT */
#include "injector/admission.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "injector/hijack/agent_file.h"
#include "injector/hijack/filters.h"
#include "injector/owned.h"
#include "injector/printable.h"
#include "injector/target/freezer.h"
#include "injector/target/limits.h"
#include "injector/target/memory_group.h"
#include "injector/target/process.h"
#include "injector/target/threads.h"
#include "proto/boot.h"

/* Of the process's own: the ring as far as it was used (LIMIT_RING_DEFAULT), 1
 * MiB to enter (measured, 3.7 to 3.15), and as much again for what it does. */
#define ROOM (8u << 20)

/* Where all is locked, and so there at once, the thread's stack and the ring
 * are whole: 24 MiB, and as much again. */
#define ROOM_LOCKED (48u << 20)

/* 147 MiB of address space, most of it the C library's for two more threads,
 * and 19 MiB of it to be written to. */
#define ROOM_SPACE (256u << 20)
#define ROOM_DATA (32u << 20)

/* Each has one of the two tool ids of sys.monitoring until it has left. */
#define LEAVING_MANY 2

int admit_machine(struct error *err)
{
	char from = 1, to = 0;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != 1) {
		error_set_errno(err, ERROR_SYSTEM, errno, "process_vm_readv");
		return error_remedy(err, "the sandbox of the daemon must allow "
					 "process_vm_readv");
	}
	/* A bad descriptor tells a kernel that has the call. */
	if (syscall(SYS_pidfd_getfd, -1, -1, 0) < 0 && errno != EBADF) {
		error_set_errno(err, ERROR_SYSTEM, errno, "pidfd_getfd");
		return error_remedy(err, "Linux 5.6 or later is needed");
	}
	return 0;
}

int admit_process(pid_t pid, struct procfs_status *ret_status,
		  struct procfs_stat *ret_stat, struct error *err)
{
	if (!procfs_status(pid, ret_status) || !procfs_stat(pid, ret_stat))
		return process_unread(pid, errno, err);
	if (ret_status->tgid != pid)
		return process_is_thread(pid, ret_status->tgid, err);
	if (ret_stat->state == 'Z' || ret_stat->state == 'X')
		return process_ended(pid, ret_stat, err);
	return 0;
}

static long yama_scope(void)
{
	owned_fd fd = open("/proc/sys/kernel/yama/ptrace_scope",
			   O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	return strtol(text, NULL, 10);
}

static bool has_capability(unsigned capability)
{
	char text[8192];
	const char *line;

	if (procfs_read(getpid(), "status", text, sizeof(text)) <= 0)
		return false;
	line = strstr(text, "\nCapEff:");
	return line && (strtoull(line + 8, NULL, 16) >> capability & 1);
}

/* The kernel gives the files of a process that is not dumpable to root, though
 * not their folder. */
static bool is_dumpable(pid_t pid, uid_t uid)
{
	char path[64];
	struct stat owner;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return stat(path, &owner) || owner.st_uid == uid;
}

const char *admit_permission_remedy(const struct permission *permission)
{
	if (permission->scope >= 3)
		return "Yama forbids all tracing until the machine restarts: "
		       "set kernel.yama.ptrace_scope below 3 before";
	if (!permission->own && !permission->root)
		return "give the daemon CAP_SYS_PTRACE (docker run "
		       "--cap-add=SYS_PTRACE)";
	if (permission->own != permission->target)
		return "run as that user, or as root";
	if (!permission->dumpable)
		return "the program is not dumpable (prctl, or it changed its "
		       "user): run as root";
	if (permission->scope > 0)
		return "run as root, or: sysctl kernel.yama.ptrace_scope=0";
	return "the program is protected (it has capabilities, or a security "
	       "module): run as root";
}

int admit_permission(pid_t pid, const struct procfs_status *status,
		     struct error *err)
{
	struct permission permission = {
		.own = geteuid(),
		.target = status->uid,
		.root = has_capability(CAP_SYS_PTRACE),
		.scope = yama_scope(),
	};
	owned_fd fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	/* Reading asks the kernel the same as writing would, but root then
	 * needs no CAP_DAC_OVERRIDE for the file's mode. */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return 0;
	if (errno != EACCES && errno != EPERM)
		return process_unread(pid, errno, err);
	permission.dumpable = is_dumpable(pid, status->uid);
	error_set(err, ERROR_NOT_PERMITTED,
		  "the kernel does not let user %u trace process %d of user %u",
		  permission.own, pid, permission.target);
	return error_remedy(err, "%s", admit_permission_remedy(&permission));
}

int admit_tracer(pid_t pid, const struct procfs_status *status,
		 struct error *err)
{
	char name[64] = "?";

	if (!status->tracer)
		return 0;
	procfs_read(status->tracer, "comm", name, sizeof(name));
	name[strcspn(name, "\n")] = '\0';
	make_printable(name);
	error_set(err, ERROR_TRACED, "process %d is traced by process %d (%s)",
		  pid, status->tracer, name);
	return error_remedy(err, "end that debugger or tracer first");
}

/* vfork(2), posix_spawn(3), subprocess since 3.10: until it runs a program of
 * its own, what is done to it is done to its parent. A kernel without kcmp
 * (CONFIG_KCMP) cannot tell. */
int admit_memory(pid_t pid, const struct procfs_stat *stat, struct error *err)
{
	if (stat->parent <= 0 ||
	    syscall(SYS_kcmp, pid, stat->parent, KCMP_VM, 0, 0) != 0)
		return 0;
	error_set(err, ERROR_BUSY,
		  "process %d still runs in the memory of its parent %d "
		  "(vfork)",
		  pid, stat->parent);
	return error_remedy(err, "try again, or use the parent's id");
}

int admit_state(pid_t pid, const struct procfs_stat *stat, struct error *err)
{
	char group[128];

	if (stat->state == 'T') {
		error_set(err, ERROR_STOPPED, "process %d is stopped", pid);
		return error_remedy(err, "let it run: kill -CONT %d", pid);
	}
	if (!freezer_frozen(pid, group, sizeof(group)))
		return 0;
	make_printable(group);
	error_set(err, ERROR_STOPPED,
		  "process %d is frozen by its control group %.90s", pid,
		  group);
	return error_remedy(err, "thaw it: docker unpause, systemctl thaw, or "
				 "write 0 to its cgroup.freeze (THAWED to "
				 "freezer.state)");
}

static int refuse_room(pid_t pid, const char *who, unsigned bytes,
		       const char *remedy, struct error *err)
{
	error_set(err, ERROR_NO_MEMORY,
		  "%s leaves process %d less than the %u MiB that it may take "
		  "to enter",
		  who, pid, bytes >> 20);
	return error_remedy(err, "%s, or look from outside: nopdb stack %d",
			    remedy, pid);
}

int admit_room(pid_t pid, const struct procfs_status *status, struct error *err)
{
	unsigned room = limits_locks_all(status) ? ROOM_LOCKED : ROOM;
	char group[128] = "", who[128];
	struct limits limits;

	if (memory_group_left(pid, group, sizeof(group)) < room) {
		make_printable(group);
		snprintf(who, sizeof(who), "the memory of control group %.90s",
			 group);
		return refuse_room(pid, who, room,
				   "raise its limit (memory.max)", err);
	}
	limits_read(pid, status, &limits);
	if (limits.locked < ROOM_SPACE)
		return refuse_room(pid, "the limit of its locked memory",
				   ROOM_SPACE, "raise it (prlimit --memlock)",
				   err);
	if (limits.space < ROOM_SPACE)
		return refuse_room(pid, "the limit of its address space",
				   ROOM_SPACE, "raise it (prlimit --as)", err);
	if (limits.data < ROOM_DATA)
		return refuse_room(pid, "the limit of its data", ROOM_DATA,
				   "raise it (prlimit --data)", err);
	return 0;
}

static int refuse_filter(const char *what, const char *remedy,
			 struct error *err)
{
	error_set(err, ERROR_SECCOMP, "it runs under seccomp: %s", what);
	return error_remedy(err, "%s", remedy);
}

int admit_seccomp(pid_t pid, bool *ret_filtered, struct error *err)
{
	struct filter_kinds kinds;

	if (filter_kinds_read(pid, &kinds, err))
		return -1;
	*ret_filtered = kinds.count > 0;
	if (!kinds.count)
		return 0;
	if (kinds.strict)
		return refuse_filter("a thread of it is in strict mode",
				     "run the program without it", err);
	if (!has_capability(CAP_SYS_ADMIN))
		return refuse_filter("its filter cannot be examined without "
				     "privileges, and might end it",
				     "run the daemon as root", err);
	return 0;
}

int admit_cpu(const struct procfs_status *status, struct error *err)
{
	if (!status->shadow_stack)
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "it runs with a shadow stack");
	return error_remedy(err, "start it with GLIBC_TUNABLES="
				 "glibc.cpu.x86_shstk=off");
}

int admit_threads(pid_t pid, struct error *err)
{
	struct threads threads;
	bool found;

	if (threads_read(pid, &threads, err))
		return -1;
	found = threads.count && threads.list[0].rank < THREAD_SKIP;
	threads_release(&threads);
	if (found)
		return 0;
	error_set(err, ERROR_TIMEOUT,
		  "every thread is in an uninterruptible wait (vfork, a file "
		  "system), or in a write or receive that a stop would cut "
		  "short");
	return error_remedy(err, "try again");
}

struct agents {
	size_t live, leaving;
};

/* By the names of the threads. */
static struct agents count_agents(pid_t pid, const struct threads *threads)
{
	struct agents agents = { 0 };

	for (size_t i = 0; i < threads->count; i++) {
		char path[64], name[32];

		snprintf(path, sizeof(path), "task/%d/comm",
			 threads->list[i].tid);
		if (procfs_read(pid, path, name, sizeof(name)) <= 0)
			continue;
		agents.live += !strcmp(name, BOOT_THREAD_LIVE "\n");
		agents.leaving += !strcmp(name, BOOT_THREAD_LEAVING "\n");
	}
	return agents;
}

int admit_agent(pid_t pid, struct error *err)
{
	struct threads threads;
	struct agents agents;

	if (threads_read(pid, &threads, err))
		return -1;
	agents = count_agents(pid, &threads);
	threads_release(&threads);
	if (!agents.live && agents.leaving < LEAVING_MANY)
		return 0;
	if (!agents.live) {
		error_set(err, ERROR_BUSY,
			  "%zu agents of former daemons are leaving process "
			  "%d",
			  agents.leaving, pid);
		return error_remedy(err, "try again");
	}
	error_set(err, ERROR_BUSY, "another nopdbd has its agent in process %d",
		  pid);
	return error_remedy(err,
			    "detach it there (nopdb --socket PATH detach "
			    "%d); an agent without a daemon leaves within "
			    "5 s",
			    pid);
}

int admit_file(pid_t pid, struct error *err)
{
	errno = 0;
	if (agent_file_proc_usable(pid) || agent_file_possible(pid))
		return 0;
	/* The lack may be ours. */
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		return process_unread(pid, errno, err);
	error_set(err, ERROR_ATTACH,
		  "its root has neither /proc nor a place for a file that may "
		  "be executed");
	return error_remedy(err, "mount /proc or a /tmp without noexec there");
}
