/* SPDX-License-Identifier: MIT */
/*
 * verdict_task: which tasks of asyncio hold up those that nobody awaits: a
 * chain of awaits is followed to tasks that wait for something else than a
 * task. That their loop is idle, so that nothing of it can be under way, is
 * told by its thread, which waits.
 */
#include <string.h>

#include "injector/stack/verdict.h"

#define ROOTS_MAX 8u  /* verdicts about tasks that nobody awaits */
#define LEAVES_MAX 4u /* tasks told in one of them */

/* Tasks on the way from a root, each visited once. */
struct way {
	struct court *court;
	uint8_t *seen;
	size_t *stack, *leaves;
	size_t depth, count;
};

static const struct stack_task *task_at(const struct court *court, size_t task)
{
	return &court->explain->reader->shown_tasks[task];
}

static const char *task_text(struct court *court, size_t task)
{
	return explain_task_text(court->explain, task);
}

/* "waits for event gate (asyncio.locks.Event at 0x...)" */
static const char *task_reason(struct court *court, size_t task)
{
	const struct stack_task *shown = task_at(court, task);
	const struct stack_wait *wait = shown->wait;

	if (!wait)
		return say(court, "is %s", shown->state);
	if (!strcmp(wait->what, "sleep"))
		return "sleeps";
	if (!strcmp(wait->what, "task"))
		return say(court, "waits for %s",
			   wait->object ? wait->object : "a task");
	return say(court, "waits for %s%s%s", wait->what,
		   wait->object ? " " : "", wait->object ? wait->object : "");
}

static const char *with_time(struct court *court, size_t task, const char *text)
{
	const struct explained *about =
		&court->explain->about[court->explain->reader->count + task];

	return join(court, text, court_left(court, about));
}

/* Tasks that the root comes to wait for and that wait for no other task. */
static void find_leaves(struct way *way, size_t root)
{
	way->depth = way->count = 0;
	way->seen[root] = 1;
	way->stack[way->depth++] = root;
	while (way->depth) {
		size_t at = way->stack[--way->depth];
		const struct stack_task *task = task_at(way->court, at);

		if (!task->await_count)
			way->leaves[way->count++] = at;
		for (size_t i = task->await_count; i > 0; i--) {
			size_t next = task->awaits[i - 1];

			if (way->seen[next])
				continue;
			way->seen[next] = 1;
			way->stack[way->depth++] = next;
		}
	}
}

/* The thread of the task's loop, if it is known: 0 or 1 members. */
static size_t name_thread(struct court *court, size_t task)
{
	size_t thread = task_at(court, task)->thread;

	if (thread == STACK_NO_THREAD)
		return 0;
	court->members[0] = thread;
	return 1;
}

/* "task main (...) waits for gather 1 of 3 that are not done; task stuck (...)
 * waits for event gate (...)" */
static void judge_root(struct way *way, size_t root)
{
	struct court *court = way->court;
	const char *text;

	find_leaves(way, root);
	text = join(court, task_text(court, root),
		    say(court, " %s", task_reason(court, root)));
	text = with_time(court, root, text);
	for (size_t i = 0; i < way->count && i < LEAVES_MAX; i++) {
		size_t leaf = way->leaves[i];

		if (leaf == root)
			continue;
		text = join(court, text,
			    say(court, "; %s %s", task_text(court, leaf),
				task_reason(court, leaf)));
		text = with_time(court, leaf, text);
	}
	if (way->count > LEAVES_MAX)
		text = join(court, text,
			    say(court, "; and %zu more tasks",
				way->count - LEAVES_MAX));
	judge(court, "task", name_thread(court, root), text);
}

/* A task that comes back to itself on a chain of single awaits. */
static void judge_circle(struct way *way, size_t first)
{
	struct court *court = way->court;
	const char *text = "";
	size_t at = first, count = 0;

	do {
		const struct stack_task *task = task_at(court, at);

		if (++count <= NAMED_MAX)
			text = join(court, text,
				    say(court, "%s%s waits for %s",
					count > 1 ? "; " : "",
					task_text(court, at),
					task_text(court, task->awaits[0])));
		way->seen[at] = 1;
		at = task->awaits[0];
	} while (at != first);
	judge(court, "deadlock", name_thread(court, first), text);
}

/* Each chain is walked once: round marks those of the walk under way. */
static void judge_circles(struct way *way, size_t *round)
{
	size_t count = way->court->explain->reader->tasks.count;

	for (size_t i = 0; i < count; i++) {
		size_t at = i;

		while (!round[at] &&
		       task_at(way->court, at)->await_count == 1) {
			round[at] = i + 1;
			at = task_at(way->court, at)->awaits[0];
		}
		if (round[at] == i + 1 && !way->seen[at])
			judge_circle(way, at);
	}
}

/* A loop whose thread runs may wake its tasks the next moment. */
static bool is_idle(const struct court *court, size_t task)
{
	const struct stack_task *shown = task_at(court, task);

	return shown->stable && shown->thread != STACK_NO_THREAD &&
	       court->explain->reader->shown[shown->thread].wait;
}

static void judge_roots(struct way *way)
{
	struct court *court = way->court;
	const struct stack_reader *reader = court->explain->reader;
	size_t told = 0;

	/* Those that wait for others first: they are what the program does. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < reader->tasks.count; i++) {
			const struct stack_task *task = task_at(court, i);

			if (task->awaited_by_count || !task->wait ||
			    way->seen[i] ||
			    (pass == 0) != !!task->await_count ||
			    !is_idle(court, i))
				continue;
			if (told++ < ROOTS_MAX)
				judge_root(way, i);
		}
}

void judge_tasks(struct court *court)
{
	struct arena *arena = court->explain->arena;
	size_t count = court->explain->reader->tasks.count;
	struct way way = { .court = court };
	size_t *round;

	if (!count)
		return;
	round = arena_array(arena, count, sizeof(*round));
	way.seen = arena_array(arena, count, 1);
	way.stack = arena_array(arena, count, sizeof(*way.stack));
	way.leaves = arena_array(arena, count, sizeof(*way.leaves));
	if (!round || !way.seen || !way.stack || !way.leaves) {
		court->full = true;
		return;
	}
	judge_circles(&way, round);
	judge_roots(&way);
}
