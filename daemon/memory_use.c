/* SPDX-License-Identifier: MIT */
#include "daemon/memory_use.h"

#include "daemon/daemon.h"
#include "daemon/session.h"
#include "daemon/target.h"

struct memory_use memory_use(const struct daemon *daemon)
{
	struct memory_use use = { 0, 0 };
	const struct session *session;
	const struct target *target;

	TAILQ_FOREACH(session, &daemon->sessions, entry)
	use.queued += outbox_size(&session->out);
	TAILQ_FOREACH(target, &daemon->targets, entry)
	{
		if (target->pump_open)
			use.rings += target->pump.mapped;
	}
	return use;
}
