/* SPDX-License-Identifier: MIT */
/*
 * restart: a child with one thread in each kind of wait is stopped again and
 * again; no wait may end early or with EINTR.
 */
#include "injector/hijack/tracee.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "injector/target/threads.h"

#define WAIT_SECONDS 1
#define STOPS 20
#define STOP_MS 1000

static const struct timespec span = { WAIT_SECONDS, 0 };

static int wait_nanosleep(void)
{
	return nanosleep(&span, NULL);
}

static int wait_poll(void)
{
	return poll(NULL, 0, WAIT_SECONDS * 1000);
}

static int wait_select(void)
{
	struct timeval time = { WAIT_SECONDS, 0 };

	return select(0, NULL, NULL, NULL, &time);
}

static int wait_epoll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC), result, saved;
	struct epoll_event event;

	result = epoll_wait(fd, &event, 1, WAIT_SECONDS * 1000);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

static int wait_signal(void)
{
	sigset_t set;
	int result;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	result = sigtimedwait(&set, NULL, &span);
	return result < 0 && errno == EAGAIN ? 0 : result;
}

static int wait_semop(void)
{
	struct sembuf take = { 0, -1, 0 };
	int id = semget(IPC_PRIVATE, 1, 0600), result, saved;

	result = semtimedop(id, &take, 1, &span);
	saved = errno;
	semctl(id, 0, IPC_RMID);
	errno = saved;
	return result < 0 && errno == EAGAIN ? 0 : result;
}

static int wait_recv(void)
{
	struct timeval time = { WAIT_SECONDS, 0 };
	int pair[2], result, saved;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	result = (int)recv(pair[0], &byte, 1, 0);
	saved = errno;
	close(pair[0]);
	close(pair[1]);
	errno = saved;
	return result < 0 && errno == EAGAIN ? 0 : result;
}

static int wait_semaphore(void)
{
	struct timespec until;
	sem_t sem;
	int result;

	sem_init(&sem, 0, 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_SECONDS;
	result = sem_timedwait(&sem, &until);
	return result < 0 && errno == ETIMEDOUT ? 0 : result;
}

typedef int wait_fn(void);

static wait_fn *const waits[] = {
	wait_nanosleep, wait_poll,  wait_select, wait_epoll,
	wait_signal,	wait_semop, wait_recv,	 wait_semaphore,
};

#define WAITS (sizeof(waits) / sizeof(waits[0]))

/* 0: the wait took its time and ended as it should. */
static void *wait_thread(void *arg)
{
	size_t index = (size_t)(uintptr_t)arg;
	uint64_t began = monotonic_ns();
	int result = waits[index]();
	uint64_t took = monotonic_ns() - began;

	if (result || took < WAIT_SECONDS * 990000000ull) {
		fprintf(stderr, "wait %zu: %d errno %d after %lu us\n", index,
			result, errno, (unsigned long)took / 1000);
		return (void *)1;
	}
	return NULL;
}

static void child_waits(void)
{
	pthread_t threads[WAITS];
	sigset_t set;
	int failed = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < WAITS; i++)
		pthread_create(&threads[i], NULL, wait_thread,
			       (void *)(uintptr_t)i);
	for (size_t i = 0; i < WAITS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		failed += result != NULL;
	}
	_exit(failed);
}

static void stop_all(struct tracee *tracee, pid_t pid, struct alarm *alarm)
{
	struct error err = ERROR_INIT;
	struct threads threads;

	if (threads_read(pid, &threads, &err))
		return;
	for (size_t i = 0; i < threads.count; i++) {
		struct deadline deadline = deadline_in_ms(STOP_MS);

		if (threads.list[i].rank >= THREAD_SKIP)
			continue;
		tracee_init(tracee, pid, threads.list[i].tid, alarm);
		if (tracee_seize(tracee, &err) ||
		    tracee_interrupt(tracee, &err))
			continue;
		tracee_wait(tracee, &deadline);
		tracee_leave(tracee);
	}
	threads_release(&threads);
}

START_TEST(nothing_ends_early)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));
	struct error err = ERROR_INIT;
	struct alarm alarm;
	int status;
	pid_t pid = fork();

	ck_assert_ptr_nonnull(tracee);
	if (pid == 0)
		child_waits();
	ck_assert_int_eq(alarm_init(&alarm, &err), 0);
	usleep(100000);
	for (int i = 0; i < STOPS; i++) {
		stop_all(tracee, pid, &alarm);
		usleep(20000);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	alarm_release(&alarm);
	free(tracee);
}
END_TEST

START_TEST(only_known_calls_are_repaired)
{
	static const uint64_t nothing[6];
	struct regs regs = { .size = 216 };

	arch.set_syscall(&regs, 0, 0, -EINTR, nothing);
	arch.repair(&regs, false);
	ck_assert_int_eq((int64_t)arch.result(&regs), -EINTR);
	ck_assert_int_eq(arch.syscall(&regs), -1);
	arch.restart(&regs);
	ck_assert_uint_eq(arch.pc(&regs), 0);
}
END_TEST

START_TEST(a_time_out_ends)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));
	struct deadline deadline;
	struct error err = ERROR_INIT;
	struct alarm alarm;
	pid_t pid = fork();

	ck_assert_ptr_nonnull(tracee);
	if (pid == 0)
		for (;;)
			pause();
	ck_assert_int_eq(alarm_init(&alarm, &err), 0);
	tracee_init(tracee, pid, pid, &alarm);
	ck_assert_int_eq(tracee_seize(tracee, &err), 0);
	/* Nothing was asked for, so nothing comes. */
	deadline = deadline_in_ms(50);
	ck_assert_int_eq(tracee_wait(tracee, &deadline).kind, STOP_NONE);
	ck_assert(deadline_passed(&deadline));
	kill(pid, SIGKILL);
	deadline = deadline_in_ms(STOP_MS);
	ck_assert_int_eq(tracee_wait(tracee, &deadline).kind, STOP_GONE);
	alarm_release(&alarm);
	free(tracee);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restart");
	TCase *tcase = tcase_create("restart");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, nothing_ends_early);
	tcase_add_test(tcase, only_known_calls_are_repaired);
	tcase_add_test(tcase, a_time_out_ends);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
