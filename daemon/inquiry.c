/* SPDX-License-Identifier: MIT */
#include "daemon/inquiry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/session.h"
#include "daemon/target.h"

struct inquiry *inquiry_new(struct session *session, size_t most)
{
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (!inquiry)
		return NULL;
	inquiry->daemon = session->daemon;
	inquiry->session = session->serial;
	inquiry->work.data = inquiry;
	inquiry->list = calloc(most + 1, sizeof(struct access *));
	inquiry->serials = calloc(most + 1, sizeof(*inquiry->serials));
	if (inquiry->list && inquiry->serials)
		return inquiry;
	inquiry_free(inquiry);
	return NULL;
}

void inquiry_free(struct inquiry *inquiry)
{
	if (!inquiry)
		return;
	for (size_t i = 0; i < inquiry->count; i++)
		access_free(inquiry->list[i]);
	free(inquiry->list);
	free(inquiry->serials);
	free(inquiry);
}

int inquiry_add(struct inquiry *inquiry, const struct session *session,
		struct process_id *id, uint64_t serial, struct error *err)
{
	int failed = access_new(session->daemon->house.book, &session->peer, id,
				&inquiry->list[inquiry->count], err);

	process_close(id);
	if (!failed)
		inquiry->serials[inquiry->count++] = serial;
	return failed;
}

int inquiry_add_target(struct inquiry *inquiry, const struct session *session,
		       const struct target *target, struct error *err)
{
	struct process_id id = target->id;

	id.pidfd = fcntl(target->id.pidfd, F_DUPFD_CLOEXEC, 0);
	if (id.pidfd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "pid %d: a descriptor to ask for "
				       "permission with",
				       (int)id.pid);
	return inquiry_add(inquiry, session, &id, target->serial, err);
}

static void ask(uv_work_t *work)
{
	struct inquiry *inquiry = work->data;

	access_examine(inquiry->list, inquiry->count);
}

static struct session *find_session(const struct inquiry *inquiry)
{
	struct session *session;

	TAILQ_FOREACH(session, &inquiry->daemon->sessions, entry)
	{
		if (session->serial == inquiry->session)
			return session;
	}
	return NULL;
}

static bool still_there(const struct daemon *daemon, uint64_t serial)
{
	const struct target *target;

	TAILQ_FOREACH(target, &daemon->targets, entry)
	{
		if (target->serial == serial)
			return true;
	}
	return false;
}

static void keep(const struct inquiry *inquiry, struct session *session)
{
	for (size_t i = 0; i < inquiry->count; i++) {
		const struct access *access = inquiry->list[i];

		/* By a policy that is in force no more it says nothing. */
		if (access->book == inquiry->daemon->house.book &&
		    still_there(inquiry->daemon, inquiry->serials[i]))
			grant_set(session, inquiry->serials[i],
				  &access->verdict);
	}
}

static void answered(uv_work_t *work, int status)
{
	struct inquiry *inquiry = work->data;
	struct session *session = find_session(inquiry);

	if (session)
		keep(inquiry, session);
	inquiry->done(inquiry, session);
	inquiry_free(inquiry);
}

void inquiry_start(struct inquiry *inquiry,
		   void (*done)(struct inquiry *inquiry,
				struct session *session),
		   void *arg)
{
	inquiry->done = done;
	inquiry->arg = arg;
	uv_queue_work(&inquiry->daemon->loop, &inquiry->work, ask, answered);
}
