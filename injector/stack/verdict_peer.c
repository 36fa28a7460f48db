/* SPDX-License-Identifier: MIT */
/*
 * verdict_peer: several threads that wait for one and the same peer: a server
 * at an address, or a process of this machine.
 */
#include <string.h>

#include "injector/stack/verdict.h"

#define PEERS_NAMED 4u

static bool same_peer(const struct explained *a, const struct explained *b)
{
	if (a->remote || b->remote)
		return a->remote && b->remote && !strcmp(a->remote, b->remote);
	return a->process && a->process == b->process;
}

static bool waits_for_peer(const struct court *court, size_t thread)
{
	const struct explained *about = &court->explain->about[thread];

	return (waits_for(court, thread, "socket") ||
		waits_for(court, thread, "pipe")) &&
	       (about->remote || about->process);
}

/* Those that wait for the same as the first of them. */
static size_t gather(struct court *court, size_t first)
{
	const struct explain *explain = court->explain;
	size_t count = 0;

	for (size_t i = first; i < explain->reader->count; i++)
		if (!court->seen[i] && waits_for_peer(court, i) &&
		    same_peer(&explain->about[first], &explain->about[i]))
			court->members[count++] = i;
	return count;
}

static size_t python_threads(const struct court *court)
{
	const struct stack_reader *reader = court->explain->reader;
	size_t count = 0;

	for (size_t i = 0; i < reader->count; i++)
		count += reader->shown[i].state_address != 0;
	return count;
}

/* "all 8 threads wait for the network peer 10.0.0.5:5432: process 12 postgres,
 * which is in epoll_wait: thread ..., thread ... and 4 more" */
static void judge_crowd(struct court *court, size_t first, size_t count)
{
	const struct explained *about = &court->explain->about[first];
	size_t all = python_threads(court);
	const char *text =
		count == all ? say(court, "all %zu threads", count)
			     : say(court, "%zu of %zu threads", count, all);

	text = join(court, text,
		    about->remote ? say(court, " wait for the network peer %s",
					about->remote)
				  : " wait for one and the same peer");
	if (about->process)
		text = join(court, text,
			    say(court, ": %s",
				process_chain_text(court->explain->arena,
						   about->process)));
	for (size_t i = 0; i < count && i < PEERS_NAMED; i++)
		text = join(court, text,
			    say(court, "; %s",
				thread_text(court, court->members[i])));
	if (count > PEERS_NAMED)
		text = join(court, text,
			    say(court, "; and %zu more", count - PEERS_NAMED));
	judge(court, "peer", count, text);
}

void judge_peers(struct court *court)
{
	const struct stack_reader *reader = court->explain->reader;

	for (size_t i = 0; i < reader->count; i++) {
		size_t count;

		if (court->seen[i] || !waits_for_peer(court, i))
			continue;
		count = gather(court, i);
		if (count > 1)
			judge_crowd(court, i, count);
	}
}
