/* SPDX-License-Identifier: MIT */
#include "daemon/losses.h"

#include "daemon/daemon.h"
#include "daemon/route.h"
#include "daemon/target.h"

struct loss {
	enum loss_reason reason;
	uint64_t count;
};

static void render_loss(struct json_writer *w, const void *arg)
{
	const struct loss *loss = arg;

	json_key(w, "count");
	json_uint(w, loss->count);
	json_key(w, "reason");
	json_string(w, counters_loss_name(loss->reason));
}

void losses_tell(struct probe *probe)
{
	const struct probe_stats *now = &probe->stats, *told = &probe->told;
	const struct loss losses[] = {
		{ LOSS_RING, now->lost_ring - told->lost_ring },
		{ LOSS_RATE, now->lost_rate - told->lost_rate },
		{ LOSS_SIZE, now->lost_size - told->lost_size },
		{ LOSS_CALLS, now->lost_calls - told->lost_calls },
	};

	probe->told = probe->stats;
	for (unsigned i = 0; i < sizeof(losses) / sizeof(*losses); i++) {
		if (losses[i].count == 0)
			continue;
		probe->target->daemon->counters.lost[losses[i].reason] +=
			losses[i].count;
		route_probe_render(probe, "lost", render_loss, &losses[i]);
	}
}
