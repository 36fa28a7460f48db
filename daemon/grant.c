/* SPDX-License-Identifier: MIT */
#include "daemon/grant.h"

#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/session.h"
#include "daemon/target.h"

static struct grant *find(const struct session *session, uint64_t serial)
{
	struct grant *grant;

	LIST_FOREACH(grant, &session->grants, entry)
	{
		if (grant->serial == serial)
			return grant;
	}
	return NULL;
}

const struct grant *grant_find(const struct session *session, uint64_t serial)
{
	return find(session, serial);
}

void grant_set(struct session *session, uint64_t serial,
	       const struct verdict *verdict)
{
	struct grant *grant = find(session, serial);

	if (!grant) {
		grant = calloc(1, sizeof(*grant));
		if (!grant)
			return;
		grant->serial = serial;
		LIST_INSERT_HEAD(&session->grants, grant, entry);
	}
	grant->verdict = *verdict;
}

static void drop(struct grant *grant)
{
	LIST_REMOVE(grant, entry);
	free(grant);
}

void grant_drop(struct session *session, uint64_t serial)
{
	struct grant *grant = find(session, serial);

	if (grant)
		drop(grant);
}

void grant_drop_all(struct session *session)
{
	while (!LIST_EMPTY(&session->grants))
		drop(LIST_FIRST(&session->grants));
}

bool grant_lets(const struct session *session, const struct target *target,
		uint32_t rights)
{
	const struct grant *grant;

	if (!session->daemon->house.book)
		return true;
	grant = find(session, target->serial);
	return grant && access_has(&grant->verdict, rights);
}
