/* SPDX-License-Identifier: MIT */
#include "daemon/ending.h"

#include <sys/wait.h>

#include "daemon/log.h"
#include "daemon/route.h"
#include "daemon/target.h"

struct ending {
	const char *reason;
	const char *member; /* the name of what is known; NULL: nothing */
	int value;
};

bool ending_by_exec(const struct target *target)
{
	uint64_t now = process_program(target->id.pid);

	return now && target->job.program && now != target->job.program;
}

static struct ending examine(const struct target *target)
{
	int status;

	if (!process_exit_status(&target->id, &status)) {
		if (ending_by_exec(target))
			return (struct ending){ "exec", NULL, 0 };
		return (struct ending){ "exited", NULL, 0 };
	}
	if (WIFSIGNALED(status))
		return (struct ending){ "signal", "signal", WTERMSIG(status) };
	return (struct ending){ "exited", "status", WEXITSTATUS(status) };
}

static void render(struct json_writer *w, const void *arg)
{
	const struct ending *ending = arg;

	json_key(w, "reason");
	json_string(w, ending->reason);
	if (!ending->member)
		return;
	json_key(w, ending->member);
	json_int(w, ending->value);
}

void ending_tell(struct target *target)
{
	struct ending ending = examine(target);

	log_line("%s: target_exit: %s %d", target->name, ending.reason,
		 ending.value);
	route_target(target, "target_exit", render, &ending);
	target->holder_count = 0;
}
