/* SPDX-License-Identifier: MIT */
#include "injector/stack/pause.h"

#include <stdlib.h>
#include <string.h>

#include "injector/owned.h"
#include "injector/stack/kernel.h"
#include "injector/stack/stack.h"

#define PAUSE_ROUNDS 8 /* until no new thread appears */

int pause_init(struct pause *pause, pid_t pid, struct error *err)
{
	memset(pause, 0, sizeof(*pause));
	pause->pid = pid;
	if (alarm_init(&pause->alarm, err))
		return -1;
	pause->ready = true;
	return 0;
}

void pause_release(struct pause *pause)
{
	if (!pause)
		return;
	pause_end(pause);
	if (pause->ready)
		alarm_release(&pause->alarm);
	free(pause->list);
	memset(pause, 0, sizeof(*pause));
}

static struct paused *add(struct pause *pause, pid_t tid)
{
	struct paused **list;
	struct paused *paused;

	if (pause->count == pause->room) {
		list = reallocarray(pause->list, pause->room * 2 + 64,
				    sizeof(*list));
		if (!list)
			return NULL;
		pause->list = list;
		pause->room = pause->room * 2 + 64;
	}
	paused = calloc(1, sizeof(*paused));
	if (!paused)
		return NULL;
	tracee_init(&paused->tracee, pause->pid, tid, &pause->alarm);
	pause->list[pause->count++] = paused;
	return paused;
}

static struct paused *find(const struct pause *pause, pid_t tid)
{
	for (size_t i = 0; i < pause->count; i++)
		if (pause->list[i]->tracee.tid == tid)
			return pause->list[i];
	return NULL;
}

/* Asks a thread to stop. Fails when it cannot be asked. */
static int ask(struct paused *paused, struct error *err)
{
	if (tracee_seize(&paused->tracee, err))
		return -1;
	paused->since_ns = monotonic_ns();
	if (tracee_interrupt(&paused->tracee, err))
		return -1;
	paused->asked = true;
	return 0;
}

static bool wait_for(struct pause *pause, struct paused *paused,
		     const struct deadline *deadline)
{
	struct stop stop = tracee_wait(&paused->tracee, deadline);

	paused->stopped = stop.kind != STOP_NONE && stop.kind != STOP_GONE;
	pause->stopped += paused->stopped;
	return paused->stopped;
}

int pause_thread(struct pause *pause, pid_t tid, unsigned budget_ms,
		 struct error *err)
{
	struct deadline deadline = deadline_in_ms(budget_ms);
	struct paused *paused;

	if (find(pause, tid))
		return error_set(err, ERROR_BUSY, "thread %d is stopped", tid);
	paused = add(pause, tid);
	if (!paused)
		return error_set(err, ERROR_NO_MEMORY, "stopping threads");
	if (ask(paused, err))
		return -1;
	if (wait_for(pause, paused, &deadline))
		return 0;
	return error_set(err, ERROR_TIMEOUT,
			 "thread %d did not stop within %u ms", tid, budget_ms);
}

/* One round over all threads; *ret_new: how many were not known before. */
static int pause_round(struct pause *pause, const struct deadline *deadline,
		       size_t *ret_new, struct error *err)
{
	size_t first = pause->count, count, more;
	owned_mem pid_t *list = NULL;

	if (kernel_threads(pause->pid, STACK_THREADS_MAX, &list, &count, &more,
			   err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct paused *paused;

		if (find(pause, list[i]))
			continue;
		paused = add(pause, list[i]);
		if (!paused)
			return error_set(err, ERROR_NO_MEMORY,
					 "stopping threads");
		(void)kernel_look(pause->pid, list[i], &paused->before);
	}
	for (size_t i = first; i < pause->count; i++) {
		struct error why = ERROR_INIT;

		if (!ask(pause->list[i], &why) || why.code == ERROR_NO_PROCESS)
			continue;
		if (err)
			*err = why;
		return -1;
	}
	for (size_t i = first; i < pause->count; i++)
		if (pause->list[i]->asked)
			(void)wait_for(pause, pause->list[i], deadline);
	*ret_new = pause->count - first;
	return 0;
}

int pause_all(struct pause *pause, unsigned budget_ms, struct error *err)
{
	struct deadline deadline = deadline_in_ms(budget_ms);
	size_t new = 1;

	for (int i = 0; i < PAUSE_ROUNDS && new; i++) {
		if (pause_round(pause, &deadline, &new, err)) {
			pause_end(pause);
			return -1;
		}
	}
	return 0;
}

/* Between the look and the stop it may have begun to wait, or to run. */
static char state_before(const struct kernel_thread *before,
			 const struct kernel_thread *now)
{
	bool waited = before->state == 'S' || before->state == 'D' ||
		      before->state == 'I';

	if (before->state && (!waited || kernel_same_place(before, now)))
		return before->state;
	return now->syscall >= 0 ? 'S' : 'R';
}

void pause_look(const struct pause *pause, pid_t tid,
		struct kernel_thread *ret_thread)
{
	const struct paused *paused = find(pause, tid);

	if (!kernel_look(pause->pid, tid, ret_thread) || !paused)
		return;
	ret_thread->state = state_before(&paused->before, ret_thread);
	if (ret_thread->state == 'R') {
		ret_thread->waiting = false;
		ret_thread->syscall = -1;
	}
}

bool pause_regs(const struct pause *pause, pid_t tid, struct regs *ret_regs)
{
	const struct paused *paused = find(pause, tid);

	return paused && paused->stopped &&
	       tracee_get_regs(&paused->tracee, ret_regs);
}

/* In the order of stopping, so that no thread waits for all the others. */
void pause_end(struct pause *pause)
{
	for (size_t i = 0; i < pause->count; i++) {
		struct paused *paused = pause->list[i];
		struct deadline now = deadline_in_ms(0);

		/* It may have stopped in the meantime, and would stay so. */
		if (paused->asked && !paused->stopped)
			(void)wait_for(pause, paused, &now);
		if (paused->stopped) {
			uint64_t ns;

			tracee_leave(&paused->tracee);
			ns = monotonic_ns() - paused->since_ns;
			if (ns > pause->longest_ns)
				pause->longest_ns = ns;
		}
		free(paused);
	}
	pause->count = 0;
}
