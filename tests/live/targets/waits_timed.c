/* SPDX-License-Identifier: MIT */
/* Waits that end by their own time-out. */
#include "waits.h"

#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int wait_nanosleep(int ms)
{
	struct timespec span = span_of(ms);

	return answer(nanosleep(&span, NULL));
}

static int wait_absolute_sleep(int ms)
{
	struct timespec end = until(CLOCK_MONOTONIC, ms);

	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}

static int wait_poll(int ms)
{
	return answer(poll(NULL, 0, ms));
}

static int wait_ppoll(int ms)
{
	struct timespec span = span_of(ms);

	return answer(ppoll(NULL, 0, &span, NULL));
}

static int wait_select(int ms)
{
	struct timeval span = { ms / 1000, ms % 1000 * 1000 };

	return answer(select(0, NULL, NULL, NULL, &span));
}

static int wait_pselect(int ms)
{
	struct timespec span = span_of(ms);

	return answer(pselect(0, NULL, NULL, NULL, &span, NULL));
}

static int wait_epoll(int ms)
{
	int fd = epoll_create1(EPOLL_CLOEXEC), result;
	struct epoll_event event;

	result = answer(epoll_wait(fd, &event, 1, ms));
	close(fd);
	return result;
}

static int wait_epoll_pwait(int ms)
{
	int fd = epoll_create1(EPOLL_CLOEXEC), result;
	struct epoll_event event;
	sigset_t none;

	sigemptyset(&none);
	result = answer(epoll_pwait(fd, &event, 1, ms, &none));
	close(fd);
	return result;
}

static int wait_epoll_pwait2(int ms)
{
	int fd = epoll_create1(EPOLL_CLOEXEC), result;
	struct timespec span = span_of(ms);
	struct epoll_event event;

	result = answer(
		syscall(SYS_epoll_pwait2, fd, &event, 1, &span, NULL, 8));
	close(fd);
	return result;
}

static int wait_sigtimedwait(int ms)
{
	struct timespec span = span_of(ms);
	sigset_t set, before;
	int result;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &before);
	result = answer(sigtimedwait(&set, NULL, &span));
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

static int wait_semtimedop(int ms)
{
	int id = semget(IPC_PRIVATE, 1, 0600), result;
	struct timespec span = span_of(ms);
	struct sembuf take = { 0, -1, 0 };

	result = answer(semtimedop(id, &take, 1, &span));
	semctl(id, 0, IPC_RMID);
	return result;
}

/* A socket that gives up after ms; what it waits for is up to the caller. */
static int timed_pair(int pair[2], int option, int ms)
{
	struct timeval span = { ms / 1000, ms % 1000 * 1000 };

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	return setsockopt(pair[0], SOL_SOCKET, option, &span, sizeof(span));
}

static int close_pair(const int pair[2], int result)
{
	close(pair[0]);
	close(pair[1]);
	return result;
}

static int wait_recv(int ms)
{
	int pair[2];
	char byte;

	timed_pair(pair, SO_RCVTIMEO, ms);
	return close_pair(pair, answer(recv(pair[0], &byte, 1, 0)));
}

static int wait_recvmsg(int ms)
{
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int pair[2];

	timed_pair(pair, SO_RCVTIMEO, ms);
	return close_pair(pair, answer(recvmsg(pair[0], &message, 0)));
}

static int wait_read_socket(int ms)
{
	int pair[2];
	char byte;

	timed_pair(pair, SO_RCVTIMEO, ms);
	return close_pair(pair, answer(read(pair[0], &byte, 1)));
}

/* Filled first, so that the last call blocks with nothing of it sent. */
static int wait_send(int ms)
{
	static char bytes[4096];
	int pair[2];

	timed_pair(pair, SO_SNDTIMEO, ms);
	while (send(pair[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return close_pair(pair, answer(send(pair[0], bytes, 1, 0)));
}

static int wait_accept(int ms)
{
	struct timeval span = { ms / 1000, ms % 1000 * 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), result;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &span, sizeof(span));
	/* The name of the family alone: the kernel chooses one. */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)) ||
	    listen(fd, 1))
		return -1;
	result = answer(accept(fd, NULL, NULL));
	close(fd);
	return result;
}

static long futex(uint32_t *word, int operation, uint32_t value,
		  const struct timespec *time)
{
	return syscall(SYS_futex, word, operation, value, time, NULL,
		       FUTEX_BITSET_MATCH_ANY);
}

static int wait_futex(int ms)
{
	struct timespec span = span_of(ms);
	uint32_t word = 0;

	return answer(futex(&word, FUTEX_WAIT_PRIVATE, 0, &span));
}

static int wait_futex_bitset(int ms)
{
	struct timespec end = until(CLOCK_MONOTONIC, ms);
	uint32_t word = 0;

	return answer(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &end));
}

static int wait_futex_requeue_pi(int ms)
{
	struct timespec end = until(CLOCK_MONOTONIC, ms);
	uint32_t word = 0, other = 0;

	return answer(syscall(SYS_futex, &word, FUTEX_WAIT_REQUEUE_PI, 0, &end,
			      &other, FUTEX_BITSET_MATCH_ANY));
}

#ifdef SYS_futex_waitv
static int wait_futex_waitv(int ms)
{
	struct timespec end = until(CLOCK_MONOTONIC, ms);
	uint32_t word = 0;
	struct futex_waitv waiter = { 0, (uintptr_t)&word, FUTEX_32, 0 };

	return answer(
		syscall(SYS_futex_waitv, &waiter, 1, 0, &end, CLOCK_MONOTONIC));
}
#endif

static int wait_sem(int ms)
{
	struct timespec end = until(CLOCK_REALTIME, ms);
	sem_t sem;

	sem_init(&sem, 0, 0);
	return answer(sem_timedwait(&sem, &end));
}

static int wait_condition(int ms)
{
	struct timespec end = until(CLOCK_REALTIME, ms);
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	int result;

	pthread_mutex_lock(&mutex);
	result = pthread_cond_timedwait(&condition, &mutex, &end);
	pthread_mutex_unlock(&mutex);
	return -result;
}

static int wait_mq(int ms)
{
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	struct timespec end = until(CLOCK_REALTIME, ms);
	char name[64], message[8];
	int result;
	mqd_t queue;

	snprintf(name, sizeof(name), "/nopdb-waits-%d", getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	mq_unlink(name);
	result = answer(mq_timedreceive(queue, message, 8, NULL, &end));
	mq_close(queue);
	return result;
}

static int wait_io_getevents(int ms)
{
	struct timespec span = span_of(ms);
	aio_context_t context = 0;
	struct io_event event;
	int result;

	if (syscall(SYS_io_setup, 1, &context))
		return answer(-1);
	result =
		answer(syscall(SYS_io_getevents, context, 1, 1, &event, &span));
	syscall(SYS_io_destroy, context);
	return result;
}

/* Waits for a completion that does not come. */
static int wait_io_uring(int ms)
{
	struct __kernel_timespec span = { 0, ms * 1000000LL };
	struct io_uring_getevents_arg argument = { .ts = (uintptr_t)&span };
	struct io_uring_params params = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 2, &params), result;

	if (fd < 0)
		return answer(-1);
	result = answer(syscall(SYS_io_uring_enter, fd, 0, 1,
				IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
				&argument, sizeof(argument)));
	close(fd);
	return result;
}

const struct wait waits_timed[] = {
	{ "nanosleep", wait_nanosleep },
	{ "absolute-sleep", wait_absolute_sleep },
	{ "poll", wait_poll },
	{ "ppoll", wait_ppoll },
	{ "select", wait_select },
	{ "pselect", wait_pselect },
	{ "epoll-wait", wait_epoll },
	{ "epoll-pwait", wait_epoll_pwait },
	{ "epoll-pwait2", wait_epoll_pwait2 },
	{ "sigtimedwait", wait_sigtimedwait },
	{ "semtimedop", wait_semtimedop },
	{ "recv-timeout", wait_recv },
	{ "recvmsg-timeout", wait_recvmsg },
	{ "read-timeout", wait_read_socket },
	{ "send-timeout", wait_send },
	{ "accept-timeout", wait_accept },
	{ "futex-wait", wait_futex },
	{ "futex-wait-bitset", wait_futex_bitset },
	{ "futex-requeue-pi", wait_futex_requeue_pi },
#ifdef SYS_futex_waitv
	{ "futex-waitv", wait_futex_waitv },
#endif
	{ "sem-timedwait", wait_sem },
	{ "cond-timedwait", wait_condition },
	{ "mq-timedreceive", wait_mq },
	{ "io-getevents", wait_io_getevents },
	{ "io-uring", wait_io_uring },
	{ NULL, NULL },
};
