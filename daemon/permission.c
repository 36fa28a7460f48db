/* SPDX-License-Identifier: MIT */
#include "daemon/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 1500
#define PTRACE_BIT (1ull << CAP_SYS_PTRACE)
#define NO_DESCRIPTOR 0x7fffffff /* which no process has */

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

struct question {
	uint32_t index;
	uint32_t memory; /* also hand over its memory */
};

/* One descriptor beside a message: unix(7). */
union packet {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void packet_put(union packet *packet, struct msghdr *message, int fd)
{
	memset(packet, 0, sizeof(*packet));
	message->msg_control = packet;
	message->msg_controllen = sizeof(packet->bytes);
	packet->head.cmsg_level = SOL_SOCKET;
	packet->head.cmsg_type = SCM_RIGHTS;
	packet->head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&packet->head), &fd, sizeof(fd));
}

static int packet_take(const union packet *packet, const struct msghdr *message)
{
	int fd = -1;

	if (message->msg_controllen >= CMSG_LEN(sizeof(int)) &&
	    packet->head.cmsg_level == SOL_SOCKET &&
	    packet->head.cmsg_type == SCM_RIGHTS &&
	    packet->head.cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(&packet->head), sizeof(fd));
	return fd;
}

/* ---- in the child: system calls alone, for the daemon has threads
 * ------------------------------------------------------------------ */

struct child {
	int fd;
	const struct peer *peer;
	const struct process_id *const *ids;
	size_t count;
	bool override; /* Yama, to open the memory of what is one's own */
};

/* The bare calls: those of the C library would ask its other threads, which
 * are not here, to follow. */
static int take_user(const struct peer *peer)
{
	uid_t own = geteuid();

	if (peer->uid == own && syscall(SYS_setgroups, 0, NULL))
		return 0; /* our own, unprivileged: that is who we are */
	/* The saved user stays: it counts for nothing that we ask, keeps the
	 * peer from tracing us, and lets the daemon end us. */
	if (syscall(SYS_setgroups, (size_t)peer->group_count, peer->groups) ||
	    syscall(SYS_setresgid, peer->gid, peer->gid, peer->gid) ||
	    syscall(SYS_setresuid, peer->uid, peer->uid, own))
		return -1;
	return 0;
}

/* Leaves what the peer has and we have, and in reserve what is kept. */
static int take_capabilities(uint64_t wanted, uint64_t kept)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -1;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)((wanted | kept) >> 32 * i);
		data[i].effective =
			data[i].permitted & (uint32_t)(wanted >> 32 * i);
		data[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &head, data);
}

/* root at the daemon of a user: nobody there can become root, and the kernel's
 * answer to the daemon is the narrower one. */
static int become_peer(const struct peer *peer, bool override)
{
	/* Before and after: a change of user sets it as the machine says. */
	syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (take_user(peer) && (peer->uid != 0 || geteuid() == 0))
		return -1;
	syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	return take_capabilities(peer->capabilities, override ? PTRACE_BIT : 0);
}

/* "/proc/PID/NAME" without the C library's locale. */
static void write_path(char *path, pid_t pid, const char *name)
{
	char digits[16];
	size_t count = 0;

	for (unsigned n = (unsigned)pid; n || !count; n /= 10)
		digits[count++] = (char)('0' + n % 10);
	memcpy(path, "/proc/", 6);
	path += 6;
	while (count)
		*path++ = digits[--count];
	memcpy(path, name, strlen(name) + 1);
}

static int open_file(pid_t pid, const char *name, int flags)
{
	char path[64];

	write_path(path, pid, name);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

static int try_open(pid_t pid, const char *name)
{
	int fd = open_file(pid, name, O_RDONLY);

	if (fd < 0)
		return errno;
	syscall(SYS_close, fd);
	return 0;
}

/* The same question, about the process that the pidfd means. */
static int try_pidfd(int pidfd)
{
	long fd = syscall(SYS_pidfd_getfd, pidfd, NO_DESCRIPTOR, 0);

	if (fd >= 0)
		syscall(SYS_close, (int)fd);
	return fd < 0 && (errno == EPERM || errno == ESRCH) ? errno : 0;
}

static bool is_gone(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	return syscall(SYS_poll, &poll_fd, 1, 0) != 0;
}

static struct permission_answer examine(const struct process_id *id)
{
	struct permission_answer answer = {
		.attach = try_open(id->pid, "/mem"),
		.read = try_open(id->pid, "/auxv"),
	};

	if (!answer.attach)
		answer.attach = try_pidfd(id->pidfd);
	/* Until now the id was its own, or all of this was about another. */
	if (is_gone(id->pidfd))
		answer = (struct permission_answer){ ESRCH, ESRCH };
	return answer;
}

/* The memory, opened before the question, so that the answer is about it. root
 * without all of its capabilities may look at a file but not write. */
static int open_memory(const struct child *child, const struct process_id *id)
{
	uint64_t own = child->peer->capabilities;
	int fd;

	if (child->override)
		(void)!take_capabilities(own | PTRACE_BIT, PTRACE_BIT);
	fd = open_file(id->pid, "/mem", O_RDWR);
	/* Should this fail, the questions would not be the peer's any more. */
	if (child->override && take_capabilities(own, PTRACE_BIT))
		syscall(SYS_exit_group, 1);
	return fd;
}

/* What Yama alone refused may be overridden. */
static bool may_have_memory(const struct child *child,
			    const struct permission_answer *answer)
{
	return !answer->attach || (child->override && !answer->read);
}

static bool send_answer(int fd, struct permission_answer *answer, int memory)
{
	struct iovec data = { answer, sizeof(*answer) };
	union packet packet;
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (memory >= 0)
		packet_put(&packet, &message, memory);
	return syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL) ==
	       sizeof(*answer);
}

static void serve(const struct child *child)
{
	struct question question;

	for (;;) {
		long got = syscall(SYS_read, child->fd, &question,
				   sizeof(question));
		struct permission_answer answer;
		const struct process_id *id;
		bool sent;
		int memory;

		if (got < 0 && errno == EINTR)
			continue;
		if (got != sizeof(question) || question.index >= child->count)
			return;
		id = child->ids[question.index];
		memory = question.memory ? open_memory(child, id) : -1;
		answer = examine(id);
		sent = send_answer(child->fd, &answer,
				   may_have_memory(child, &answer) ? memory
								   : -1);
		if (memory >= 0)
			syscall(SYS_close, memory);
		if (!sent)
			return;
	}
}

/* ---- in the daemon
 * --------------------------------------------------------------- */

static void close_between(int first, int last)
{
	if (first <= last)
		syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Sockets of clients and agents: their ends must be seen when the daemon dies,
 * so the child keeps none (before Linux 5.9 it does, for its short life). keep
 * is sorted. */
static void close_others(const int *keep, size_t count)
{
	int next = 0;

	for (size_t i = 0; i < count; i++) {
		close_between(next, keep[i] - 1);
		next = keep[i] + 1;
	}
	syscall(SYS_close_range, (unsigned)next, ~0u, 0);
}

static void run_child(const struct child *child, const int *keep)
{
	sigset_t none;

	sigemptyset(&none);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
	close_others(keep, child->count + 1);
	if (!become_peer(child->peer, child->override))
		serve(child);
	syscall(SYS_exit_group, 0);
}

static int *list_kept(int fd, const struct process_id *const *ids, size_t count)
{
	int *keep = calloc(count + 1, sizeof(*keep));

	if (!keep)
		return NULL;
	keep[0] = fd;
	for (size_t i = 0; i < count; i++)
		keep[i + 1] = ids[i]->pidfd;
	qsort(keep, count + 1, sizeof(*keep), by_number);
	return keep;
}

static int start_child(const struct child *child, struct error *err)
{
	int *keep = list_kept(child->fd, child->ids, child->count);
	sigset_t all, before;
	pid_t pid;
	int error;

	if (!keep)
		return error_set(err, ERROR_NO_MEMORY,
				 "no memory to ask for permission");
	/* No handler of ours runs in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	error = errno;
	if (pid == 0)
		run_child(child, keep);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	free(keep);
	if (pid < 0)
		return error_set_errno(err, ERROR_SYSTEM, error,
				       "a child to ask for permission");
	return pid;
}

int permission_open(const struct peer *peer,
		    const struct process_id *const *ids, size_t count,
		    bool override, struct permission *ret_permission,
		    struct error *err)
{
	struct child child = {
		.peer = peer, .ids = ids, .count = count, .override = override
	};
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "a socket to ask for permission");
	child.fd = ends[1];
	pid = start_child(&child, err);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -1;
	}
	*ret_permission = (struct permission){ ends[0], pid, count };
	return 0;
}

static bool wait_answer(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int ready;

	do
		ready = poll(&poll_fd, 1, ANSWER_MS);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

static bool receive(int fd, struct permission_answer *ret_answer,
		    int *ret_memory)
{
	struct iovec data = { ret_answer, sizeof(*ret_answer) };
	union packet packet;
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &packet,
				  .msg_controllen = sizeof(packet.bytes) };

	memset(&packet, 0, sizeof(packet));
	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != sizeof(*ret_answer))
		return false;
	*ret_memory = packet_take(&packet, &message);
	return true;
}

static bool exchange(const struct permission *permission, size_t index,
		     bool memory, struct permission_answer *ret_answer,
		     int *ret_memory)
{
	const struct question question = { (uint32_t)index, memory };

	return permission->fd >= 0 && index < permission->count &&
	       send(permission->fd, &question, sizeof(question),
		    MSG_NOSIGNAL) == sizeof(question) &&
	       wait_answer(permission->fd) &&
	       receive(permission->fd, ret_answer, ret_memory);
}

int permission_ask(struct permission *permission, size_t index,
		   struct permission_answer *ret_answer, int *ret_memory,
		   struct error *err)
{
	struct permission_answer answer = { EAGAIN, EAGAIN };
	int memory = -1;

	/* The peer may stop or end a process that has its user: then there is
	 * no answer, and nothing is granted. */
	if (exchange(permission, index, ret_memory != NULL, &answer, &memory)) {
		*ret_answer = answer;
		if (ret_memory)
			*ret_memory = memory;
		return 0;
	}
	permission_close(permission);
	error_set(err, ERROR_NOT_PERMITTED,
		  "the kernel could not be asked for permission: the child "
		  "that asks was stopped or ended");
	return error_remedy(err, "try again");
}

void permission_close(struct permission *permission)
{
	if (permission->fd >= 0)
		close(permission->fd);
	permission->fd = -1;
	if (permission->child <= 0)
		return;
	kill(permission->child, SIGKILL);
	while (waitpid(permission->child, NULL, 0) < 0 && errno == EINTR)
		;
	permission->child = -1;
}

bool permission_possible(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return false;
	return data[0].permitted & 1u << CAP_SETUID &&
	       data[0].permitted & 1u << CAP_SETGID;
}

/* ---- what it means
 * --------------------------------------------------------------- */

bool permission_granted(const struct permission_case *asked)
{
	const struct permission_answer *answer = &asked->answer;

	if (!answer->attach)
		return true;
	return (answer->attach == EPERM || answer->attach == EACCES) &&
	       !answer->read && asked->own && asked->yama_own &&
	       (asked->yama == 1 || asked->yama == 2);
}

long permission_yama(void)
{
	int fd = open("/proc/sys/kernel/yama/ptrace_scope",
		      O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	ssize_t got;

	if (fd < 0)
		return 0;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	return got > 0 ? strtol(text, NULL, 10) : 0;
}
