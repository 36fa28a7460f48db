/* SPDX-License-Identifier: MIT */
/* slow_locks: to be preloaded: whatever lock the agent's thread gets, it keeps
 * for a while. What takes a lock that nobody may hold at a fork then shows in
 * every run, and not in one of thousands. */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "proto/boot.h"

#define KEPT_NS 1000000
#define COMM_SIZE 16

static int keep(int result)
{
	static __thread int is_agent;
	const struct timespec kept = { .tv_nsec = KEPT_NS };
	char name[COMM_SIZE + 1] = "";

	if (!is_agent)
		prctl(PR_GET_NAME, name);
	if (!strcmp(name, BOOT_THREAD_LIVE))
		is_agent = 1;
	if (result == 0 && is_agent)
		nanosleep(&kept, NULL);
	return result;
}

int sem_wait(sem_t *semaphore)
{
	static int (*wait)(sem_t *);

	if (!wait)
		*(void **)&wait = dlsym(RTLD_NEXT, "sem_wait");
	return keep(wait(semaphore));
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static int (*lock)(pthread_mutex_t *);

	if (!lock)
		*(void **)&lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	return keep(lock(mutex));
}
