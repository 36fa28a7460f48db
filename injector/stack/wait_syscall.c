/* SPDX-License-Identifier: MIT */
/*
 * wait_syscall: why a thread waits, by the system call that it is in.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "injector/stack/wait_call.h"
#include "injector/target/procfs.h"

#define FDS_SHOWN 8u
#define TOLD_MAX 64u /* descriptors of sets, in one picture */
#define SECOND_NS 1000000000ull
#define LOCK_WAIT_OFD 38 /* F_OFD_SETLKW */

struct waiting {
	struct explain *explain;
	size_t index;
	struct wait_draft *draft;
	const uint64_t *argument;
};

typedef void decode(struct waiting *waiting);

/* ---- time
 * ---------------------------------------------------------------------- */

void wait_left(struct explain *explain, size_t thread, uint64_t left_ns,
	       struct wait_draft *draft)
{
	struct explained *about = &explain->about[thread];

	about->timed = about->known_left = true;
	about->left_ns = left_ns;
	draft_number(draft, "left_ms", (int64_t)(left_ns / 1000000));
}

static void set_limit(struct explain *explain, size_t thread, uint64_t ns,
		      struct wait_draft *draft)
{
	explain->about[thread].timed = true;
	draft_number(draft, "timeout_ms", (int64_t)(ns / 1000000));
}

void wait_until(struct explain *explain, size_t thread, uint64_t timespec,
		int clock, struct wait_draft *draft)
{
	struct timespec now = { 0 };
	int64_t word[2];
	uint64_t end, begun;

	if (!timespec)
		return;
	explain->about[thread].timed = true;
	if (!remote_read(explain->python->remote, timespec, word,
			 sizeof(word)) ||
	    word[0] < 0 || word[0] > INT32_MAX || word[1] < 0 ||
	    (uint64_t)word[1] >= SECOND_NS)
		return;
	end = (uint64_t)word[0] * SECOND_NS + (uint64_t)word[1];
	if (clock < 0) {
		set_limit(explain, thread, end, draft);
		return;
	}
	if (explain->reader->core)
		return; /* what time it was then is not known */
	clock_gettime(clock, &now);
	begun = (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
	wait_left(explain, thread, end > begun ? end - begun : 0, draft);
}

static void limit_ms(struct waiting *waiting, int ms)
{
	if (ms >= 0)
		set_limit(waiting->explain, waiting->index,
			  (uint64_t)ms * 1000000, waiting->draft);
}

static void sleep_clock(struct waiting *waiting)
{
	bool absolute = waiting->argument[1] & TIMER_ABSTIME;
	int clock = (int)waiting->argument[0];

	waiting->draft->what = "sleep";
	if (absolute && clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return;
	wait_until(waiting->explain, waiting->index, waiting->argument[2],
		   absolute ? clock : -1, waiting->draft);
}

static void sleep_plain(struct waiting *waiting)
{
	waiting->draft->what = "sleep";
	wait_until(waiting->explain, waiting->index, waiting->argument[0], -1,
		   waiting->draft);
}

/* The kernel goes on with a timed wait after a stop, and keeps its arguments
 * to itself. */
static void resumed(struct waiting *waiting)
{
	waiting->draft->what = "sleep";
	waiting->explain->about[waiting->index].timed = true;
}

/* ---- descriptors
 * ---------------------------------------------------------------- */

static const char *keep(struct waiting *waiting, const char *text)
{
	return text[0] ? arena_copy(waiting->explain->arena, text, strlen(text))
		       : NULL;
}

/* The name of a process that lives: of one that a core file tells of, the id
 * may be another's by now. */
static void name_process(const struct waiting *waiting, pid_t pid, char *name,
			 size_t size)
{
	name[0] = '\0';
	if (!waiting->explain->reader->core)
		process_name(pid, name, size);
}

static void show_peer(struct waiting *waiting, pid_t pid, const char *role)
{
	pid_t self = waiting->explain->reader->pid;
	char name[64];

	if (pid <= 0)
		return;
	draft_number(waiting->draft, role, pid);
	if (waiting->explain->reader->core)
		return;
	process_name(pid, name, sizeof(name));
	draft_text(waiting->draft, "process", keep(waiting, name));
	waiting->draft->proof = STACK_PROVEN;
	if (pid != self)
		waiting->explain->about[waiting->index].process = pid;
	else
		waiting->explain->about[waiting->index].inner = true;
}

static const char *socket_text(struct waiting *waiting,
			       const struct descriptor *fd)
{
	const char *protocol = fd->protocol[0] ? fd->protocol : "socket";
	struct arena *arena = waiting->explain->arena;

	if (fd->remote[0])
		return arena_printf(arena, "%s %s -> %s", protocol, fd->local,
				    fd->remote);
	return arena_printf(arena, "%s %s", protocol,
			    fd->local[0] ? fd->local : fd->path);
}

static void on_descriptor(struct waiting *waiting, int fd, bool reads)
{
	struct explain *explain = waiting->explain;
	struct wait_draft *draft = waiting->draft;
	struct descriptor found;

	draft->what = "fd";
	draft_number(draft, "fd", fd);
	if (!descriptor_read(explain->reader->pid, fd, &found))
		return;
	draft->object = keep(waiting, found.path);
	if (found.kind == DESCRIPTOR_SOCKET) {
		draft->what = "socket";
		draft->object = socket_text(waiting, &found);
		explain->about[waiting->index].remote =
			keep(waiting, found.remote);
		draft_text(draft, "remote",
			   explain->about[waiting->index].remote);
	} else if (found.kind == DESCRIPTOR_PIPE) {
		draft->what = "pipe";
	} else if (found.kind == DESCRIPTOR_FILE) {
		draft->what = "file";
	}
	if (found.pidfd)
		show_peer(waiting, found.pidfd, "child");
	else if (found.kind == DESCRIPTOR_SOCKET ||
		 found.kind == DESCRIPTOR_PIPE)
		show_peer(waiting,
			  descriptor_peer(&explain->descriptors,
					  explain->reader->pid, &found, reads),
			  "peer");
}

void wait_of_descriptor(struct explain *explain, size_t index, int fd,
			bool reads, struct wait_draft *draft)
{
	struct waiting waiting = { .explain = explain,
				   .index = index,
				   .draft = draft };

	on_descriptor(&waiting, fd, reads);
}

static void reads(struct waiting *waiting)
{
	on_descriptor(waiting, (int)waiting->argument[0], true);
}

static void writes(struct waiting *waiting)
{
	on_descriptor(waiting, (int)waiting->argument[0], false);
}

/* ", of process 7 postgres": who has the other end. */
static const char *peer_text(struct waiting *waiting,
			     const struct descriptor *fd, bool reads)
{
	struct explain *explain = waiting->explain;
	pid_t self = explain->reader->pid, peer;
	char name[64];

	if (fd->kind != DESCRIPTOR_SOCKET && fd->kind != DESCRIPTOR_PIPE)
		return "";
	peer = descriptor_peer(&explain->descriptors, self, fd, reads);
	if (peer <= 0)
		return "";
	if (peer == self)
		return ", to this process";
	name_process(waiting, peer, name, sizeof(name));
	return arena_printf(explain->arena, ", to process %d %s", peer, name);
}

/* "5 (tcp 10.0.0.7:40112 -> 10.0.0.5:5432)" */
static const char *descriptor_text(struct waiting *waiting, int fd, bool reads)
{
	struct explain *explain = waiting->explain;
	struct descriptor found;
	const char *peer;

	if (explain->descriptors_told >= TOLD_MAX || explain->reader->core ||
	    !descriptor_read(explain->reader->pid, fd, &found))
		return arena_printf(explain->arena, "%d", fd);
	explain->descriptors_told++;
	peer = peer_text(waiting, &found, reads);
	return arena_printf(explain->arena, "%d (%s%s)", fd,
			    found.kind == DESCRIPTOR_SOCKET
				    ? socket_text(waiting, &found)
				    : found.path,
			    peer ? peer : "");
}

/* One descriptor is told as itself; of many, what each is. */
static void on_many(struct waiting *waiting, const int *fds, size_t count,
		    bool first_reads)
{
	struct arena *arena = waiting->explain->arena;
	const char *list = "descriptors ";

	if (!count) {
		waiting->draft->what = "sleep";
		return;
	}
	if (count == 1) {
		on_descriptor(waiting, fds[0], first_reads);
		return;
	}
	waiting->draft->what = "fd";
	for (size_t i = 0; i < count && i < FDS_SHOWN && list; i++)
		list = arena_printf(
			arena, "%s%s%s", list, i ? ", " : "",
			descriptor_text(waiting, fds[i], first_reads));
	if (count > FDS_SHOWN && list)
		list = arena_printf(arena, "%s, ...", list);
	waiting->draft->object = list;
}

static void poll_set(struct waiting *waiting)
{
	struct pollfd set[FDS_SHOWN + 1] = { 0 };
	uint64_t count = waiting->argument[1];
	int fds[FDS_SHOWN + 1];

	if (count > FDS_SHOWN + 1)
		count = FDS_SHOWN + 1;
	if (count &&
	    !remote_read(waiting->explain->python->remote, waiting->argument[0],
			 set, count * sizeof(set[0])))
		return;
	for (size_t i = 0; i < count; i++)
		fds[i] = set[i].fd;
	on_many(waiting, fds, count, set[0].events & (POLLIN | POLLPRI));
}

static void poll_ms(struct waiting *waiting)
{
	poll_set(waiting);
	limit_ms(waiting, (int)waiting->argument[2]);
}

/* The C library passes a copy that the kernel counts down only at the end. */
static void poll_timespec(struct waiting *waiting)
{
	poll_set(waiting);
	wait_until(waiting->explain, waiting->index, waiting->argument[2], -1,
		   waiting->draft);
}

static size_t add_set(struct waiting *waiting, uint64_t address, int count,
		      int *fds, size_t used)
{
	uint64_t word;

	for (int fd = 0; address && fd < count && used <= FDS_SHOWN; fd++) {
		if (!remote_u64(waiting->explain->python->remote,
				address + (uint64_t)fd / 64 * 8, &word))
			return used;
		if (word >> fd % 64 & 1)
			fds[used++] = fd;
	}
	return used;
}

static void select_set(struct waiting *waiting, uint64_t unit)
{
	struct remote *remote = waiting->explain->python->remote;
	int count = (int)waiting->argument[0], fds[FDS_SHOWN + 1];
	uint64_t timeout = waiting->argument[4], word[2];
	size_t used, read_used;

	if (count < 0 || count > 65536)
		count = 0;
	used = read_used =
		add_set(waiting, waiting->argument[1], count, fds, 0);
	used = add_set(waiting, waiting->argument[2], count, fds, used);
	on_many(waiting, fds, used, read_used > 0);
	if (!timeout)
		return;
	waiting->explain->about[waiting->index].timed = true;
	if (remote_read(remote, timeout, word, sizeof(word)) &&
	    word[0] < INT32_MAX && word[1] * unit < SECOND_NS)
		set_limit(waiting->explain, waiting->index,
			  word[0] * SECOND_NS + word[1] * unit, waiting->draft);
}

static void select_timeval(struct waiting *waiting)
{
	select_set(waiting, 1000);
}

static void select_timespec(struct waiting *waiting)
{
	select_set(waiting, 1);
}

/* fdinfo lists what an epoll descriptor watches: "tfd: 5 events: ...". */
static void epoll_set(struct waiting *waiting)
{
	char text[8192], path[64];
	int fds[FDS_SHOWN + 1];
	const char *at = text;
	size_t used = 0;

	snprintf(path, sizeof(path), "fdinfo/%d", (int)waiting->argument[0]);
	if (procfs_read(waiting->explain->reader->pid, path, text,
			sizeof(text)) <= 0)
		text[0] = '\0';
	while (used <= FDS_SHOWN && (at = strstr(at, "tfd:")) &&
	       sscanf(at, "tfd: %d", &fds[used]) == 1) {
		used++;
		at += 4;
	}
	on_many(waiting, fds, used, true);
	if (!used)
		waiting->draft->what = "fd";
	waiting->draft->object =
		waiting->draft->object ? waiting->draft->object : "epoll";
	limit_ms(waiting, (int)waiting->argument[3]);
}

/* ---- processes, file locks, signals
 * ------------------------------------------------ */

static void on_child(struct waiting *waiting, int64_t pid)
{
	char name[64];

	waiting->draft->what = "child";
	if (pid <= 0 || pid > INT32_MAX) {
		waiting->draft->object = "any child process";
		return;
	}
	name_process(waiting, (pid_t)pid, name, sizeof(name));
	waiting->draft->object =
		arena_printf(waiting->explain->arena, "process %" PRId64 "%s%s",
			     pid, name[0] ? " " : "", name);
	show_peer(waiting, (pid_t)pid, "child");
}

void wait_of_child(struct explain *explain, size_t index, int64_t pid,
		   struct wait_draft *draft)
{
	struct waiting waiting = { .explain = explain,
				   .index = index,
				   .draft = draft };

	on_child(&waiting, pid);
}

static void child_wait(struct waiting *waiting)
{
	on_child(waiting, (int32_t)waiting->argument[0]);
}

static void child_waitid(struct waiting *waiting)
{
	struct descriptor found;

	if (waiting->argument[0] == 1 /* P_PID */) {
		on_child(waiting, (int32_t)waiting->argument[1]);
	} else if (waiting->argument[0] == 3 /* P_PIDFD */ &&
		   descriptor_read(waiting->explain->reader->pid,
				   (int)waiting->argument[1], &found)) {
		on_child(waiting, found.pidfd);
	} else {
		on_child(waiting, 0);
	}
}

static void file_lock(struct waiting *waiting)
{
	int fd = (int)waiting->argument[0];
	pid_t self = waiting->explain->reader->pid;

	on_descriptor(waiting, fd, true);
	waiting->draft->what = "file-lock";
	show_peer(waiting, descriptor_locker(self, fd), "holder");
}

static void file_control(struct waiting *waiting)
{
	if (waiting->argument[1] == F_SETLKW ||
	    waiting->argument[1] == LOCK_WAIT_OFD)
		file_lock(waiting);
}

static void for_signal(struct waiting *waiting)
{
	waiting->draft->what = "signal";
}

/* It gets no further before the child runs another program, or ends. */
static void for_vfork(struct waiting *waiting)
{
	waiting->draft->what = "child";
	waiting->draft->object = "of vfork, to run another program or to end";
}

static void for_ipc(struct waiting *waiting)
{
	waiting->draft->what = "ipc";
}

/* ---- the table
 * -------------------------------------------------------------------- */

struct call {
	long number;
	decode *decode;
};

static const struct call calls[] = {
	{ SYS_read, reads },
	{ SYS_readv, reads },
	{ SYS_pread64, reads },
	{ SYS_preadv, reads },
	{ SYS_recvfrom, reads },
	{ SYS_recvmsg, reads },
	{ SYS_recvmmsg, reads },
	{ SYS_accept, reads },
	{ SYS_accept4, reads },
	{ SYS_connect, reads },
	{ SYS_getdents64, reads },
	{ SYS_fstat, reads },
	{ SYS_write, writes },
	{ SYS_writev, writes },
	{ SYS_pwrite64, writes },
	{ SYS_pwritev, writes },
	{ SYS_sendto, writes },
	{ SYS_sendmsg, writes },
	{ SYS_sendmmsg, writes },
	{ SYS_sendfile, writes },
	{ SYS_fsync, writes },
	{ SYS_fdatasync, writes },
	{ SYS_ftruncate, writes },
	{ SYS_fallocate, writes },
	{ SYS_close, writes },
	{ SYS_ioctl, writes },
	{ SYS_ppoll, poll_timespec },
	{ SYS_pselect6, select_timespec },
	{ SYS_epoll_pwait, epoll_set },
#ifdef SYS_poll
	{ SYS_poll, poll_ms },
	{ SYS_select, select_timeval },
	{ SYS_epoll_wait, epoll_set },
	{ SYS_pause, for_signal },
	{ SYS_vfork, for_vfork },
#endif
	{ SYS_clone, for_vfork },
	{ SYS_nanosleep, sleep_plain },
	{ SYS_clock_nanosleep, sleep_clock },
	{ SYS_restart_syscall, resumed },
	{ SYS_wait4, child_wait },
	{ SYS_waitid, child_waitid },
	{ SYS_flock, file_lock },
	{ SYS_fcntl, file_control },
	{ SYS_rt_sigsuspend, for_signal },
	{ SYS_rt_sigtimedwait, for_signal },
	{ SYS_semtimedop, for_ipc },
	{ SYS_semop, for_ipc },
	{ SYS_msgrcv, for_ipc },
	{ SYS_msgsnd, for_ipc },
	{ SYS_mq_timedreceive, for_ipc },
	{ SYS_mq_timedsend, for_ipc },
};

/* A call that names a file: that may lie on a server that is silent. */
static void by_path(struct waiting *waiting)
{
	const char *name =
		wait_call_name(waiting->explain->reader->inside[waiting->index]
				       .kernel.syscall);

	waiting->draft->object =
		wait_call_path(waiting->explain, waiting->index);
	waiting->draft->what = waiting->draft->object ? "file"
			       : name		      ? name
						      : "system-call";
}

static const struct call *find_call(long number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

void wait_of_syscall(struct explain *explain, size_t thread,
		     struct wait_draft *draft)
{
	const struct kernel_thread *kernel =
		&explain->reader->inside[thread].kernel;
	const struct call *call = find_call(kernel->syscall);
	struct waiting waiting = { .explain = explain,
				   .index = thread,
				   .draft = draft,
				   .argument = kernel->argument };

	if (call)
		call->decode(&waiting);
	else if (kernel->syscall >= 0)
		by_path(&waiting);
}
