/* SPDX-License-Identifier: MIT */
/* Waits without a time-out, ended by what a child does after a while. */
#include "waits.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A child to wait ms and then to act: true in it. */
static int in_child(int ms, pid_t *ret_child)
{
	struct timespec span = span_of(ms);

	*ret_child = fork();
	if (*ret_child)
		return 0;
	nanosleep(&span, NULL);
	return 1;
}

static int collected(pid_t child, int result)
{
	waitpid(child, NULL, 0);
	return result;
}

/* Reads one byte of what the child writes to fd `to`. */
static int read_woken(int from, int to, int ms)
{
	pid_t child;
	char byte;

	if (in_child(ms, &child)) {
		if (write(to, "\n", 1) != 1)
			_exit(1);
		_exit(0);
	}
	return collected(child, answer(read(from, &byte, 1)));
}

static int wait_pipe(int ms)
{
	int pair[2], result;

	if (pipe(pair))
		return answer(-1);
	result = read_woken(pair[0], pair[1], ms);
	close(pair[0]);
	close(pair[1]);
	return result;
}

static int wait_tty(int ms)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, result;

	grantpt(master);
	unlockpt(master);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	result = read_woken(slave, master, ms);
	close(slave);
	close(master);
	return result;
}

static int wait_full_pipe(int ms)
{
	static char bytes[4096];
	int pair[2], result;
	pid_t child;

	if (pipe(pair))
		return answer(-1);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	while (write(pair[1], bytes, sizeof(bytes)) > 0)
		;
	fcntl(pair[1], F_SETFL, 0);
	if (in_child(ms, &child))
		_exit(read(pair[0], bytes, sizeof(bytes)) < 0);
	result = collected(child, answer(write(pair[1], bytes, 1)));
	close(pair[0]);
	close(pair[1]);
	return result;
}

/* More than the pipe holds: blocks with a part of it written. The child
 * empties it, after a while, so that all can be. */
static int wait_long_write(int ms)
{
	static char bytes[1 << 20];
	int pair[2], result;
	pid_t child;

	if (pipe(pair))
		return answer(-1);
	if (in_child(ms, &child)) {
		close(pair[1]);
		while (read(pair[0], bytes, sizeof(bytes)) > 0)
			;
		_exit(0);
	}
	result = answer(write(pair[1], bytes, sizeof(bytes)));
	close(pair[0]);
	close(pair[1]);
	return collected(child, result);
}

/* Half of it is there, the other half comes. */
static int wait_receive_all(int ms)
{
	int pair[2], result;
	pid_t child;
	char two[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	    write(pair[1], "1", 1) != 1)
		return answer(-1);
	if (in_child(ms, &child))
		_exit(write(pair[1], "2", 1) != 1);
	result = answer(recv(pair[0], two, sizeof(two), MSG_WAITALL));
	close(pair[0]);
	close(pair[1]);
	return collected(child, result);
}

static int wait_eventfd(int ms)
{
	int fd = eventfd(0, 0), result;
	uint64_t count = 1;
	pid_t child;

	if (in_child(ms, &child))
		_exit(write(fd, &count, sizeof(count)) < 0);
	result = collected(child, answer(read(fd, &count, sizeof(count))));
	close(fd);
	return result;
}

static int wait_timerfd(int ms)
{
	struct itimerspec when = { .it_value = span_of(ms) };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), result;
	uint64_t count;

	timerfd_settime(fd, 0, &when, NULL);
	result = answer(read(fd, &count, sizeof(count)));
	close(fd);
	return result;
}

static int wait_inotify(int ms)
{
	char path[] = "/tmp/nopdb-waits-XXXXXX", events[512];
	int file = mkstemp(path), fd = inotify_init1(0), result;
	pid_t child;

	inotify_add_watch(fd, path, IN_MODIFY);
	if (in_child(ms, &child))
		_exit(write(file, "x", 1) < 0);
	result = collected(child, answer(read(fd, events, sizeof(events))));
	unlink(path);
	close(file);
	close(fd);
	return result > 0;
}

/* The child holds the lock from before until ms are over. */
static int locked(int ms, int (*lock)(int fd, int wait))
{
	char path[] = "/tmp/nopdb-waits-XXXXXX", byte;
	int file = mkstemp(path), ready[2], result, mine;
	struct timespec span = span_of(ms);
	pid_t child;

	if (pipe(ready))
		return answer(-1);
	child = fork();
	if (!child) {
		mine = open(path, O_RDWR);
		if (lock(mine, 0) || write(ready[1], "x", 1) != 1)
			_exit(1);
		nanosleep(&span, NULL);
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		return -EPIPE;
	result = collected(child, answer(lock(file, 1)));
	unlink(path);
	close(file);
	close(ready[0]);
	close(ready[1]);
	return result;
}

static int by_flock(int fd, int wait)
{
	return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
}

static int by_fcntl(int fd, int wait)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, wait ? F_SETLKW : F_SETLK, &whole);
}

static int wait_flock(int ms)
{
	return locked(ms, by_flock);
}

static int wait_setlkw(int ms)
{
	return locked(ms, by_fcntl);
}

static int wait_wait4(int ms)
{
	int status = 0;
	pid_t child, got;

	if (in_child(ms, &child))
		_exit(5);
	got = wait4(child, &status, 0, NULL);
	return got == child ? WEXITSTATUS(status) : answer(got);
}

static int wait_waitid(int ms)
{
	siginfo_t info = { 0 };
	pid_t child;

	if (in_child(ms, &child))
		_exit(6);
	if (waitid(P_PID, (id_t)child, &info, WEXITED))
		return answer(-1);
	return info.si_status;
}

/* The parent forked by vfork waits, killable only. */
static int wait_vfork(int ms)
{
	const struct timespec span = span_of(ms);
	int status = 0;
	pid_t child = vfork(); /* NOLINT: it is what is tested */

	if (!child) {
		syscall(SYS_nanosleep, &span, NULL); /* NOLINT: see above */
		_exit(8);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static int wait_msgrcv(int ms)
{
	struct {
		long type;
		char text[8];
	} message = { 1, "x" };
	int queue = msgget(IPC_PRIVATE, 0600), result;
	pid_t child;

	if (in_child(ms, &child))
		_exit(msgsnd(queue, &message, 1, 0) != 0);
	result = collected(child, answer(msgrcv(queue, &message, 8, 0, 0)));
	msgctl(queue, IPC_RMID, NULL);
	return result;
}

static int wait_semop(int ms)
{
	struct sembuf take = { 0, -1, 0 }, give = { 0, 1, 0 };
	int id = semget(IPC_PRIVATE, 1, 0600), result;
	pid_t child;

	if (in_child(ms, &child))
		_exit(semop(id, &give, 1) != 0);
	result = collected(child, answer(semop(id, &take, 1)));
	semctl(id, 0, IPC_RMID);
	return result;
}

static int wait_recv(int ms)
{
	int pair[2], result;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return answer(-1);
	result = read_woken(pair[0], pair[1], ms);
	close(pair[0]);
	close(pair[1]);
	return result;
}

/* A mutex of the kernel's, held by the child; shared memory in between. */
static int wait_futex_pi(int ms)
{
	uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec span = span_of(ms), moment = span_of(1);
	pid_t child = fork();
	int result;

	if (!child) {
		syscall(SYS_futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
		nanosleep(&span, NULL);
		syscall(SYS_futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
		_exit(0);
	}
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
		nanosleep(&moment, NULL);
	result = answer(
		syscall(SYS_futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	syscall(SYS_futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	munmap(word, 4096);
	return collected(child, result);
}

static void on_signal(int number)
{
}

/* EINTR is what these two are waiting for. */
static int signalled(int ms, int (*wait)(void))
{
	struct sigaction action = { .sa_handler = on_signal }, before;
	pid_t child, parent = getpid();
	int result;

	sigaction(SIGUSR2, &action, &before);
	if (in_child(ms, &child))
		_exit(kill(parent, SIGUSR2) != 0);
	result = answer(wait());
	sigaction(SIGUSR2, &before, NULL);
	return collected(child, result);
}

static int by_sigsuspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	return sigsuspend(&none);
}

static int wait_pause(int ms)
{
	return signalled(ms, pause);
}

static int wait_sigsuspend(int ms)
{
	return signalled(ms, by_sigsuspend);
}

const struct wait waits_woken[] = {
	{ "read-pipe", wait_pipe },	    { "read-tty", wait_tty },
	{ "read-eventfd", wait_eventfd },   { "read-timerfd", wait_timerfd },
	{ "read-inotify", wait_inotify },   { "read-socket", wait_recv },
	{ "write-pipe", wait_full_pipe },   { "write-long", wait_long_write },
	{ "recv-all", wait_receive_all },   { "flock", wait_flock },
	{ "fcntl-setlkw", wait_setlkw },    { "wait4", wait_wait4 },
	{ "waitid", wait_waitid },	    { "vfork", wait_vfork },
	{ "msgrcv", wait_msgrcv },	    { "semop", wait_semop },
	{ "futex-lock-pi", wait_futex_pi }, { "pause", wait_pause },
	{ "sigsuspend", wait_sigsuspend },  { NULL, NULL },
};
