/* SPDX-License-Identifier: MIT */
/*
 * verdict: what holds the process up, in one sentence each, the most telling
 * first. Drawn from the waits of the threads, of which each has at most one
 * proven owner: chains of them end, or go round.
 */
#include <string.h>

#include "injector/stack/verdict.h"

#define VERDICTS_MAX 32u

const struct stack_wait *court_wait(const struct court *court, size_t i)
{
	return court->explain->reader->shown[i].wait;
}

bool waits_for(const struct court *court, size_t i, const char *what)
{
	const struct stack_wait *wait = court_wait(court, i);

	return wait && !strcmp(wait->what, what);
}

const char *court_fact(const struct court *court, size_t thread,
		       const char *name)
{
	const struct stack_wait *wait = court_wait(court, thread);

	for (size_t i = 0; wait && i < wait->fact_count; i++)
		if (!strcmp(wait->facts[i].name, name))
			return wait->facts[i].text;
	return NULL;
}

void judge(struct court *court, const char *kind, size_t count,
	   const char *text)
{
	size_t *threads =
		arena_array(court->explain->arena, count, sizeof(*threads));

	if (court->count == VERDICTS_MAX)
		return;
	if (!threads || !text) {
		court->full = true;
		return;
	}
	memcpy(threads, court->members, count * sizeof(*threads));
	for (size_t i = 0; i < count; i++)
		court->seen[threads[i]] = 1;
	court->list[court->count++] =
		(struct stack_verdict){ .kind = kind,
					.text = text,
					.threads = threads,
					.thread_count = count };
}

const char *join(struct court *court, const char *left, const char *right)
{
	return left && right ? say(court, "%s%s", left, right) : NULL;
}

/* "waits for lock a (...)" */
static const char *reason(struct court *court, size_t thread)
{
	const struct stack_wait *wait = court_wait(court, thread);
	const struct stack_thread *shown =
		&court->explain->reader->shown[thread];

	if (!wait)
		return shown->state == 'R' ? "runs" : "does something else";
	if (!strcmp(wait->what, "thread"))
		return say(court, "waits for the end of %s",
			   wait->object ? wait->object : "a thread");
	if (!strcmp(wait->what, "sleep"))
		return "sleeps";
	return say(court, "waits for %s%s%s", wait->what,
		   wait->object ? " " : "", wait->object ? wait->object : "");
}

/* ---- the end
 * ------------------------------------------------------------------------ */

/* The thread that a core file begins with is the one that got the signal. */
static void judge_signal(struct court *court)
{
	const struct stack_end *end = court->explain->reader->picture->end;
	size_t thread;

	if (!end || !end->signal)
		return;
	thread = explain_thread_of(court->explain, end->thread);
	if (thread == STACK_NO_THREAD)
		return;
	court->members[0] = thread;
	judge(court, "signal", 1,
	      end->fault ? say(court, "ended by SIG%s at address 0x%llx in %s",
			       end->signal, (unsigned long long)end->fault,
			       thread_text(court, thread))
			 : say(court, "ended by SIG%s in %s", end->signal,
			       thread_text(court, thread)));
}

/* ---- stopped, uninterruptible
 * --------------------------------------------------- */

static void judge_stopped(struct court *court, char state, const char *text)
{
	const struct stack_reader *reader = court->explain->reader;
	size_t count = 0;

	for (size_t i = 0; i < reader->count; i++)
		if (reader->shown[i].state == state)
			court->members[count++] = i;
	if (count)
		judge(court, "stopped", count, text);
}

/* "is in uninterruptible sleep in nfs_wait (read(3, ...)), for 12 s" */
static const char *uninterruptible_text(struct court *court, size_t thread)
{
	const struct stack_thread *shown =
		&court->explain->reader->shown[thread];
	const char *call = court_fact(court, thread, "call");
	const char *text =
		say(court, "%s is in uninterruptible sleep in %s%s%s%s",
		    thread_text(court, thread),
		    shown->wchan ? shown->wchan : "the kernel",
		    call ? " (" : "", call ? call : "", call ? ")" : "");

	if (shown->wait && shown->wait->object)
		text = join(court, text,
			    say(court, ", %s", reason(court, thread)));
	return text;
}

static void judge_uninterruptible(struct court *court)
{
	const struct stack_reader *reader = court->explain->reader;

	for (size_t i = 0; i < reader->count; i++) {
		if (reader->shown[i].state != 'D')
			continue;
		court->members[0] = i;
		judge(court, "uninterruptible", 1,
		      uninterruptible_text(court, i));
	}
}

/* ---- deadlock
 * ------------------------------------------------------------------- */

/* The thread that must act for this one to go on; STACK_NO_THREAD: unknown. */
static size_t next_of(const struct court *court, size_t thread)
{
	const struct stack_wait *wait = court_wait(court, thread);

	if (!wait || wait->proof != STACK_PROVEN || !strcmp(wait->what, "gil"))
		return STACK_NO_THREAD;
	return wait->owner;
}

/* "A waits for lock a, held by B; B waits for lock b, held by A" */
static void judge_cycle(struct court *court, size_t first)
{
	const char *text = "";
	size_t count = 0, thread = first;

	do {
		size_t owner = next_of(court, thread);
		const char *tie = waits_for(court, thread, "thread")
					  ? ", that is "
					  : ", held by ";

		court->members[count++] = thread;
		if (count <= NAMED_MAX)
			text = join(court, text,
				    say(court, "%s%s %s%s%s",
					count > 1 ? "; " : "",
					thread_text(court, thread),
					reason(court, thread), tie,
					owner == thread
						? "itself"
						: thread_text(court, owner)));
		thread = owner;
	} while (thread != first);
	judge(court, "deadlock", count, text);
}

/* Each thread is walked once: round marks those of the walk under way. */
static void judge_deadlocks(struct court *court, size_t *round)
{
	size_t count = court->explain->reader->count;

	for (size_t i = 0; i < count; i++) {
		size_t at = i;

		while (at != STACK_NO_THREAD && !round[at]) {
			round[at] = i + 1;
			at = next_of(court, at);
		}
		if (at != STACK_NO_THREAD && round[at] == i + 1 &&
		    !court->seen[at])
			judge_cycle(court, at);
	}
}

/* ---- locks
 * ----------------------------------------------------------------------- */

static bool is_lock_wait(const struct court *court, size_t i)
{
	return waits_for(court, i, "lock") || waits_for(court, i, "rlock") ||
	       waits_for(court, i, "mutex") ||
	       waits_for(court, i, "import-lock");
}

/* Those that wait for the same object as the first of them. */
static size_t gather(struct court *court, size_t first)
{
	const struct explained *about = court->explain->about;
	size_t count = 0;

	for (size_t i = first; i < court->explain->reader->count; i++)
		if (!court->seen[i] && is_lock_wait(court, i) &&
		    about[i].object == about[first].object)
			court->members[count++] = i;
	return count;
}

/* "; 4 more wait for it" */
static const char *crowd(struct court *court, size_t count)
{
	if (count < 2)
		return "";
	return say(court, "; %zu more %s for it", count - 1,
		   count == 2 ? "waits" : "wait");
}

static void judge_unowned(struct court *court, size_t first, size_t count)
{
	struct explain *explain = court->explain;
	const char *text = join(court, thread_text(court, first),
				say(court, " %s", reason(court, first)));
	const char *kind = "lock";

	if (explain->about[first].ended) {
		kind = "dead-owner";
		text = join(court, text,
			    ", which is held by a thread that does not live "
			    "in this process: it will not be released");
	} else if (explain->reader->count == 1 &&
		   process_is_copy(explain->reader->pid)) {
		kind = "fork";
		text = join(court, text,
			    ", which is locked and not by any code that runs "
			    "here: this process is a fork, and the threads "
			    "that held locks were not copied");
	} else {
		text = join(court, text,
			    ", which no thread holds by a with block: its "
			    "owner is unknown, and may have ended");
	}
	judge(court, kind, count, join(court, text, crowd(court, count)));
}

static void judge_locks(struct court *court)
{
	const struct explain *explain = court->explain;

	for (size_t i = 0; i < explain->reader->count; i++) {
		size_t count, owner;

		if (court->seen[i] || !is_lock_wait(court, i) ||
		    explain->about[i].timed)
			continue;
		count = gather(court, i);
		owner = next_of(court, i);
		if (owner == STACK_NO_THREAD) {
			judge_unowned(court, i, count);
			continue;
		}
		judge(court, "lock", count,
		      join(court,
			   say(court, "%s %s, held by %s, which %s",
			       thread_text(court, i), reason(court, i),
			       thread_text(court, owner), reason(court, owner)),
			   crowd(court, count)));
	}
}

/* ---- what is outside
 * --------------------------------------------------------------- */

static bool is_outside(const struct court *court, size_t i)
{
	static const char *const kinds[] = { "socket", "pipe", "child",
					     "file-lock" };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (waits_for(court, i, kinds[k]))
			return true;
	return false;
}

static const char *verdict_kind(const char *what)
{
	return !strcmp(what, "socket") || !strcmp(what, "pipe") ? "peer" : what;
}

const char *court_left(struct court *court, const struct explained *about)
{
	unsigned long long ms = about->left_ns / 1000000;

	if (!about->known_left)
		return about->timed ? ", for a limited time" : "";
	if (!ms)
		return ", for less than 1 ms more";
	return ms < 1000 ? say(court, ", for %llu ms more", ms)
			 : say(court, ", for %llu s more", ms / 1000);
}

/* Threads before it in members wait for it, the last one first. */
static void judge_end(struct court *court, size_t thread, size_t count)
{
	struct explain *explain = court->explain;
	const struct stack_wait *wait = court_wait(court, thread);
	const struct explained *about = &explain->about[thread];
	const char *text = join(court, thread_text(court, thread),
				say(court, " %s", reason(court, thread)));

	text = join(court, text, court_left(court, about));
	if (about->process)
		text = join(court, text,
			    say(court, ": %s",
				process_chain_text(explain->arena,
						   about->process)));
	if (count > 1)
		text = join(court, text,
			    say(court, "; %s waits for it",
				thread_text(court, court->members[0])));
	judge(court, verdict_kind(wait->what), count, text);
}

/* Follows the main thread to the end of what it waits for. */
static size_t judge_main(struct court *court)
{
	const struct stack_reader *reader = court->explain->reader;
	size_t at = STACK_NO_THREAD, next, count = 0;

	for (size_t i = 0; i < reader->count; i++)
		if (reader->shown[i].main)
			at = i;
	if (at == STACK_NO_THREAD)
		return at;
	court->members[count++] = at;
	while ((next = next_of(court, at)) != STACK_NO_THREAD &&
	       count < reader->count) {
		at = next;
		court->members[count++] = at;
	}
	if (court_wait(court, at) && !court->seen[at] &&
	    !waits_for(court, at, "gil"))
		judge_end(court, at, count);
	return at;
}

/* When the main thread waits for this process itself, or for the clock, those
 * that wait for the world may be what it waits for. */
static void judge_others(struct court *court, size_t end)
{
	const struct explain *explain = court->explain;

	if (end == STACK_NO_THREAD || !court_wait(court, end) ||
	    (!explain->about[end].inner && !explain->about[end].timed))
		return;
	for (size_t i = 0; i < explain->reader->count; i++) {
		if (court->seen[i] || !is_outside(court, i) ||
		    explain->about[i].timed)
			continue;
		court->members[0] = i;
		judge_end(court, i, 1);
	}
}

/* Does a verdict say already why threads do not go on? */
static bool is_settled(const struct court *court)
{
	static const char *const open[] = { "queue",   "condition", "event",
					    "barrier", "semaphore", "future",
					    "thread" };

	for (size_t i = 0; i < court->count; i++) {
		bool found = false;

		for (size_t k = 0; k < sizeof(open) / sizeof(open[0]); k++)
			found |= !strcmp(court->list[i].kind, open[k]);
		if (!found)
			return true;
	}
	return false;
}

/* All threads wait, without a limit, for another to act. */
static void judge_starved(struct court *court)
{
	const struct explain *explain = court->explain;
	size_t count = explain->reader->count;

	if (is_settled(court))
		return;
	for (size_t i = 0; i < count; i++) {
		if (!explain->about[i].inner || explain->about[i].timed)
			return;
		court->members[i] = i;
	}
	judge(court, "starved", count,
	      count == 1 ? "the only thread waits for another thread of this "
			   "process, without a time limit: there is none"
			 : "every thread waits for another thread of this "
			   "process, without a time limit: none can go on");
}

static void judge_all(struct court *court, size_t *round)
{
	find_collector(court);
	judge_signal(court);
	judge_stopped(court, 'T',
		      "the process is stopped by a signal; SIGCONT lets it go "
		      "on");
	judge_stopped(court, 't', "a debugger has stopped the process");
	judge_uninterruptible(court);
	judge_deadlocks(court, round);
	judge_gil(court);
	judge_locks(court);
	judge_tasks(court);
	judge_peers(court);
	judge_others(court, judge_main(court));
	judge_starved(court);
	judge_running(court);
}

bool explain_verdicts(struct explain *explain)
{
	size_t count = explain->reader->count;
	struct court court = { .explain = explain };
	size_t *round = arena_array(explain->arena, count, sizeof(*round));

	court.list =
		arena_array(explain->arena, VERDICTS_MAX, sizeof(*court.list));
	court.seen = arena_array(explain->arena, count, 1);
	court.members = arena_array(explain->arena, count + 1, sizeof(size_t));
	if (!round || !court.list || !court.seen || !court.members)
		return false;
	judge_all(&court, round);
	explain->reader->picture->verdicts = court.list;
	explain->reader->picture->verdict_count = court.count;
	return !court.full;
}
