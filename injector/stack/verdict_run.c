/* SPDX-License-Identifier: MIT */
/*
 * verdict_run: what threads do that do not wait: one that keeps the GIL from
 * the others, the collection of garbage, and, when nothing holds the process
 * up, what runs.
 */
#include <string.h>

#include "injector/stack/verdict.h"

#define RUNNING_NAMED 3u

/* The collector's own functions, in 3.7 to 3.15. */
static bool is_collector(const char *function)
{
	static const char *const names[] = {
		"collect",
		"collect_main",
		"gc_collect_main",
		"_PyGC_Collect",
		"PyGC_Collect",
		"gc_collect_region",
		"collect_with_callback",
		"collect_generations",
		"gc_collect_young",
		"gc_collect_full",
		"_Py_RunGC",
		"gc_collect_increment",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t size = strlen(names[i]);

		/* The compiler may have split it: .constprop.0 */
		if (!strncmp(function, names[i], size) &&
		    (!function[size] || function[size] == '.'))
			return true;
	}
	return false;
}

/* Its own C code, or else, for who has the GIL and runs, there is no other
 * that could. */
static bool collects(const struct court *court, size_t thread)
{
	const struct stack_picture *picture = court->explain->reader->picture;
	const struct stack_thread *shown =
		&court->explain->reader->shown[thread];

	if (!picture->collecting)
		return false;
	for (size_t i = 0; i < shown->frame_count; i++)
		if (shown->frames[i].kind == STACK_FRAME_NATIVE &&
		    shown->frames[i].function &&
		    is_collector(shown->frames[i].function))
			return true;
	return shown->holds_gil && !shown->wait;
}

void find_collector(struct court *court)
{
	struct stack_reader *reader = court->explain->reader;

	for (size_t i = 0; i < reader->count; i++)
		reader->shown[i].collects = collects(court, i);
}

/* "200 ms", "12 s" */
static const char *span_text(struct court *court, uint64_t ms)
{
	return ms < 10000
		       ? say(court, "%llu ms", (unsigned long long)ms)
		       : say(court, "%llu s", (unsigned long long)(ms / 1000));
}

static const char *activity(struct court *court, size_t thread)
{
	const char *call = court_fact(court, thread, "call");
	const struct stack_thread *shown =
		&court->explain->reader->shown[thread];
	const struct stack_frame *first = shown->frames;

	if (shown->collects)
		return call ? say(court, "collects garbage, in %s", call)
			    : "collects garbage";
	if (call)
		return say(court, "waits in %s", call);
	if (!shown->frame_count || first->kind != STACK_FRAME_NATIVE)
		return "runs";
	if (!first->function || !first->module)
		return "runs C code";
	return say(court, "runs C code: %s of %s", first->function,
		   first->module);
}

/* One that waits has had the GIL since before it began to. */
static uint64_t held_ms(const struct court *court, size_t holder)
{
	const struct stack_thread *shown =
		&court->explain->reader->shown[holder];
	uint64_t seen = court->explain->gil_unchanged_ms;

	return shown->idle_known && shown->idle_ns / 1000000 > seen
		       ? shown->idle_ns / 1000000
		       : seen;
}

void judge_gil(struct court *court)
{
	const struct explain *explain = court->explain;
	struct stack_gil *gil = &explain->reader->picture->gil;
	size_t holder = gil->holder, count = 1;
	const char *held;

	if (!explain->gil_unchanged_ms || holder == STACK_NO_THREAD)
		return;
	gil->held_ms = held_ms(court, holder);
	held = span_text(court, gil->held_ms);
	gil->doing = activity(court, holder);
	court->members[0] = holder;
	for (size_t i = 0; i < explain->reader->count; i++)
		if (i != holder && waits_for(court, i, "gil"))
			court->members[count++] = i;
	judge(court, "gil-hog", count,
	      say(court,
		  "%s holds the GIL and did not let go of it for %s or "
		  "more, though %zu %s for it; it %s",
		  thread_text(court, holder), held ? held : "?", count - 1,
		  count == 2 ? "thread waits" : "threads wait",
		  gil->doing ? gil->doing : "runs"));
}

/* ---- nothing holds it up
 * ----------------------------------------------------------------- */

/* Those that have the CPU, or wait for it or for the GIL: who has that first.
 */
static size_t list_running(struct court *court)
{
	const struct stack_reader *reader = court->explain->reader;
	size_t count = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < reader->count; i++) {
			const struct stack_thread *shown = &reader->shown[i];

			if (shown->state_address &&
			    shown->holds_gil == (pass == 0) &&
			    (shown->holds_gil || shown->state == 'R' ||
			     waits_for(court, i, "gil")))
				court->members[count++] = i;
		}
	return count;
}

void judge_running(struct court *court)
{
	size_t count = list_running(court);
	const char *text = "nothing holds it up: ";

	if (!count || court->count)
		return;
	for (size_t i = 0; i < count && i < RUNNING_NAMED; i++) {
		size_t thread = court->members[i];

		text = join(court, text,
			    say(court, "%s%s %s", i ? "; " : "",
				thread_text(court, thread),
				waits_for(court, thread, "gil")
					? "waits for its turn"
					: activity(court, thread)));
	}
	if (count > RUNNING_NAMED)
		text = join(
			court, text,
			say(court, "; and %zu more", count - RUNNING_NAMED));
	judge(court, "running", count, text);
}
