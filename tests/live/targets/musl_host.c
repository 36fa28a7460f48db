/* SPDX-License-Identifier: MIT */
/*
 * musl_host: a stub, no interpreter. A program on musl that exports what a
 * CPython 3.13 exports, so that entering it can be tried with a C library
 * other than glibc. It has threads that allocate all the time, and a lock in
 * the GIL's place. Linked with musl-gcc.
 *
 * musl_host poll|read|lock|sleep [alone|ids]: what the main thread does, and
 * that there are no others, or that one changes the process's ids all the time.
 * SIGUSR1 makes it print a line {"rounds": N, "bad": N}.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/symbols.h"

#define WORKERS 3
#define BLOCKS 64

/* All but these do nothing, or hold nothing. */
#define Py_IsInitialized spare_is_initialized
#define PyThreadState_New spare_new
#define PyEval_RestoreThread spare_restore
#define PyGILState_Release spare_release
#define Py_Version spare_version
#define FUNCTION(name, ...) \
	long name(void);    \
	long name(void)     \
	{                   \
		return 0;   \
	}
#define OBJECT(name, ...) void *name[4];
NOPDB_PYTHON_FUNCTIONS(FUNCTION)
NOPDB_PYTHON_OBJECTS(OBJECT)
#undef Py_IsInitialized
#undef PyThreadState_New
#undef PyEval_RestoreThread
#undef PyGILState_Release
#undef Py_Version

long Py_IsInitialized(void);
long PyThreadState_New(void);
long PyEval_RestoreThread(void);
long PyGILState_Release(void);
extern const unsigned long Py_Version;
const unsigned long Py_Version = 0x030d00f0;

static pthread_mutex_t gil = PTHREAD_MUTEX_INITIALIZER;
static atomic_ulong rounds, bad;
static atomic_int asked;

long Py_IsInitialized(void)
{
	return 1;
}

long PyThreadState_New(void)
{
	return 1;
}

long PyEval_RestoreThread(void)
{
	return pthread_mutex_lock(&gil);
}

long PyGILState_Release(void)
{
	return pthread_mutex_unlock(&gil);
}

/* Blocks of all sizes, filled and looked at: what malloc hands out twice, or
 * loses, shows. */
static void *work(void *arg)
{
	unsigned char *block[BLOCKS] = { NULL };
	unsigned seed = (unsigned)(size_t)arg;
	size_t size[BLOCKS] = { 0 };

	for (;;) {
		unsigned at = rand_r(&seed) % BLOCKS;

		for (size_t i = 0; i < size[at]; i++)
			if (block[at][i] != (unsigned char)at)
				bad++;
		free(block[at]);
		size[at] = rand_r(&seed) % 2000;
		block[at] = malloc(size[at] + 1);
		if (!block[at])
			abort();
		memset(block[at], (int)at, size[at]);
		rounds++;
		if (!(rounds % 64))
			nanosleep(&(struct timespec){ 0, 20000 }, NULL);
	}
	return NULL;
}

/* To what they are; musl asks every thread, and waits for each. */
static void *change_ids(void *arg)
{
	(void)arg;
	for (;;) {
		if (setuid(getuid()))
			bad++;
		rounds++;
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
	return NULL;
}

static bool start(void *(*run)(void *), size_t number)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, run, (void *)number) == 0;
}

static void on_user(int number)
{
	asked = number;
}

static void wait_as(const char *how)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	struct timespec soon;
	char byte;

	if (!strcmp(how, "poll")) {
		/* A signal that comes before it is seen a second later. */
		poll(&input, 1, 1000);
	} else if (!strcmp(how, "read")) {
		if (read(0, &byte, 1) < 0)
			return;
	} else if (!strcmp(how, "lock")) {
		static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec = 0;
		soon.tv_sec += 1;
		pthread_mutex_lock(&gil);
		pthread_cond_timedwait(&never, &gil, &soon);
		pthread_mutex_unlock(&gil);
	} else {
		sleep(1);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_user };

	sigaction(SIGUSR1, &action, NULL);
	for (size_t i = 0; i < WORKERS && argc < 3; i++)
		if (!start(work, i + 1))
			return 1;
	if (argc > 2 && !strcmp(argv[2], "ids") && !start(change_ids, 0))
		return 1;
	printf("{\"ready\": %d}\n", getpid());
	fflush(stdout);
	for (;;) {
		wait_as(argc > 1 ? argv[1] : "poll");
		if (!atomic_exchange(&asked, 0))
			continue;
		printf("{\"rounds\": %lu, \"bad\": %lu}\n",
		       (unsigned long)rounds, (unsigned long)bad);
		fflush(stdout);
	}
}
