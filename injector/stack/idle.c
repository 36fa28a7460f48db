/* SPDX-License-Identifier: MIT */
#include "injector/stack/idle.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injector/deadline.h"
#include "injector/target/procfs.h"

#define SCHED_BYTES 2048 /* the line that is looked for is the third */
#define IDLE_CPUS 512u	 /* those beyond are not compared */
#define CLOCK_KEPT_NS 5000000000ull

/* "se.exec_start  :  697675.126805", in milliseconds. */
static bool last_run(pid_t pid, pid_t tid, int64_t *ret_ns)
{
	char text[SCHED_BYTES], path[64];
	const char *at;
	uint64_t ms;
	unsigned ns;

	snprintf(path, sizeof(path), "task/%d/sched", tid);
	if (procfs_read(pid, path, text, sizeof(text)) <= 0)
		return false;
	at = strstr(text, "se.exec_start");
	at = at ? strchr(at, ':') : NULL;
	if (!at || sscanf(at, ": %" SCNu64 ".%6u", &ms, &ns) != 2 ||
	    ms > INT64_MAX / 1000000 - 1)
		return false;
	*ret_ns = (int64_t)(ms * 1000000 + ns);
	return true;
}

/* A thread that just came to a CPU was just given the time by its clock. */
static bool compare(int cpu, int64_t *ret_behind_ns)
{
	cpu_set_t before, only;
	int64_t last = 0;
	bool known;

	CPU_ZERO(&only);
	if (sched_getaffinity(0, sizeof(before), &before) != 0)
		return false;
	CPU_SET(cpu, &only);
	if (sched_setaffinity(0, sizeof(only), &only) != 0)
		return false;
	known = last_run(getpid(), gettid(), &last);
	*ret_behind_ns = (int64_t)monotonic_ns() - last;
	(void)sched_setaffinity(0, sizeof(before), &before);
	return known;
}

/* The clocks part slowly, by the time that goes to interrupts; to come to a
 * CPU that is busy takes a while. */
struct clock {
	int64_t behind_ns;
	uint64_t end_ns; /* known until then */
	bool known;
};

static struct clock clocks[IDLE_CPUS];
static pthread_mutex_t clocks_lock = PTHREAD_MUTEX_INITIALIZER;

static bool behind(int cpu, int64_t *ret_ns)
{
	struct clock *clock;
	bool known;

	if (cpu < 0 || cpu >= (int)IDLE_CPUS)
		return false;
	pthread_mutex_lock(&clocks_lock);
	clock = &clocks[cpu];
	if (monotonic_ns() >= clock->end_ns) {
		clock->known = compare(cpu, &clock->behind_ns);
		clock->end_ns = monotonic_ns() + CLOCK_KEPT_NS;
	}
	*ret_ns = clock->behind_ns;
	known = clock->known;
	pthread_mutex_unlock(&clocks_lock);
	return known;
}

bool idle_read(pid_t pid, pid_t tid, int cpu, uint64_t *ret_ns)
{
	int64_t last, late, idle;

	if (!last_run(pid, tid, &last) || !behind(cpu, &late))
		return false;
	idle = (int64_t)monotonic_ns() - late - last;
	*ret_ns = idle > 0 ? (uint64_t)idle : 0;
	return true;
}
