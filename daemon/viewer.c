/* SPDX-License-Identifier: MIT */
#include "daemon/viewer.h"

#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/session.h"

/* Each takes a descriptor while one child is asked about all of them. */
#define AT_ONCE 64

struct viewer *viewer_new(const struct call *call,
			  const struct session *session)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));

	if (!viewer)
		return NULL;
	if (peer_copy(&session->peer, &viewer->peer, NULL)) {
		free(viewer);
		return NULL;
	}
	viewer->call = call;
	viewer->book = rulebook_hold(session->daemon->house.book);
	return viewer;
}

void viewer_free(struct viewer *viewer)
{
	if (!viewer)
		return;
	rulebook_drop(viewer->book);
	peer_release(&viewer->peer);
	free(viewer->sights);
	free(viewer);
}

/* The kernel lets nobody without capabilities at a process of another user:
 * it need not be asked. */
static bool worth_asking(const struct viewer *viewer,
			 const struct process_facts *facts)
{
	return viewer->peer.capabilities || facts->uid == viewer->peer.uid;
}

static struct access *open_access(const struct viewer *viewer, pid_t pid)
{
	struct process_id id = { .pidfd = -1 };
	struct access *access = NULL;

	if (!process_open(pid, &id, NULL) &&
	    access_new(viewer->book, &viewer->peer, &id, &access, NULL))
		access = NULL;
	process_close(&id);
	return access;
}

/* A batch: its accesses, and the processes they are about. */
struct batch {
	struct access *list[AT_ONCE];
	size_t place[AT_ONCE];
	size_t count;
};

static void look_at_batch(struct viewer *viewer, struct batch *batch)
{
	access_examine(batch->list, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		const struct verdict *verdict = &batch->list[i]->verdict;

		viewer->sights[batch->place[i]] = (struct sight){
			(uint8_t)verdict->rights,
			verdict->granted,
		};
		access_free(batch->list[i]);
	}
	batch->count = 0;
}

void viewer_look(struct viewer *viewer, const struct process_facts *const *list,
		 size_t count)
{
	struct batch batch = { .count = 0 };

	viewer->sights = calloc(count + 1, sizeof(*viewer->sights));
	if (!viewer->sights)
		return;
	viewer->count = count;
	for (size_t i = 0; i < count; i++) {
		struct access *access = NULL;

		if (worth_asking(viewer, list[i]))
			access = open_access(viewer, list[i]->pid);
		if (!access)
			continue;
		batch.list[batch.count] = access;
		batch.place[batch.count++] = i;
		if (batch.count == AT_ONCE)
			look_at_batch(viewer, &batch);
	}
	look_at_batch(viewer, &batch);
}

int viewer_verdict(const struct viewer *viewer, size_t index, pid_t pid,
		   struct error *err)
{
	const struct sight *sight = &viewer->sights[index];

	if (!sight->granted)
		error_set(err, ERROR_NOT_PERMITTED,
			  "the kernel does not let user %u trace process %d",
			  (unsigned)viewer->peer.uid, (int)pid);
	else if (!(sight->rights & RIGHTS_ENTER))
		error_set(err, ERROR_NOT_PERMITTED,
			  "the policy does not let user %u enter process %d",
			  (unsigned)viewer->peer.uid, (int)pid);
	else
		return 0;
	return error_remedy(err, "nopdb doctor %d tells why", (int)pid);
}
