/* SPDX-License-Identifier: MIT */
#include "daemon/daemon.h"
#include "daemon/grant.h"
#include "daemon/method.h"
#include "daemon/target.h"

static const struct param params[] = {
	{ NULL, PARAM_END, false },
};

static void write_target(struct json_writer *w, const struct target *target)
{
	json_object_begin(w);
	json_key(w, "target");
	json_string(w, target->name);
	json_key(w, "pid");
	json_int(w, target->id.pid);
	json_key(w, "python");
	json_string(w, target->python);
	json_key(w, "engine");
	json_string(w, target->engine);
	json_key(w, "command");
	json_string(w, target->job.facts.command);
	json_key(w, "probes");
	json_uint(w, target->probe_count);
	json_key(w, "clients");
	json_uint(w, target->holder_count);
	json_key(w, "pause_us");
	json_uint(w, target->pause_us);
	json_object_end(w);
}

static void render(struct json_writer *w, const void *arg)
{
	const struct call *call = arg;
	const struct daemon *daemon = call->daemon;
	const struct target *target;

	json_key(w, "targets");
	json_array_begin(w);
	TAILQ_FOREACH(target, &daemon->targets, entry)
	{
		/* A worker may be writing into those that come or go. */
		if (target->state == TARGET_LIVE &&
		    grant_lets(call->session, target, RIGHT_SEE))
			write_target(w, target);
	}
	json_array_end(w);
}

static void targets(struct call *call)
{
	call_answer(call, render, call);
}

const struct method method_targets = { "targets", params, targets,
				       GATE_ATTACHED, RIGHT_SEE };
