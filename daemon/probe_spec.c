/* SPDX-License-Identifier: MIT */
#include "daemon/probe_spec.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/script.h"

int probe_keep_spec(struct probe *probe)
{
	/* As they were asked for: the agent's side of 0 is a bound. */
	struct probe_limits limits = probe->spec.limits;
	char encoded[PROBE_SPEC_MAX];
	size_t size = probe_spec_encode(&probe->spec, encoded, sizeof(encoded));

	if (!size)
		return 0;
	probe->encoded = malloc(size);
	if (!probe->encoded)
		return -1;
	memcpy(probe->encoded, encoded, size);
	if (!probe_spec_decode(probe->encoded, size, &probe->spec))
		probe->encoded_size = size;
	probe->spec.limits = limits;
	return 0;
}

void probe_keep_actions(struct probe *probe, const cJSON *params)
{
	struct probe_spec before = probe->spec;
	void *encoded = probe->encoded;
	struct error err = ERROR_INIT;

	if (script_take_actions(params, &probe->spec, &err) ||
	    probe_keep_spec(probe) || probe->encoded == encoded) {
		probe->encoded = encoded;
		probe->spec = before;
		return;
	}
	free(encoded);
}

size_t probe_encode_actions(const struct probe *probe, const cJSON *params,
			    char *buf, size_t size, struct error *err)
{
	struct probe_spec merged = probe->spec;
	struct probe_spec added = { .id = merged.id, .kind = PROBE_BREAK };
	uint32_t before = merged.script.action_count;
	size_t used = 0;

	if (script_take_actions(params, &merged, err))
		return 0;
	added.limits = merged.limits;
	added.script.action_count = merged.script.action_count - before;
	for (uint32_t i = 0; i < added.script.action_count; i++)
		added.script.actions[i] = merged.script.actions[before + i];
	if (probe_spec_encode(&merged, buf, size))
		used = probe_spec_encode(&added, buf, size);
	if (!used)
		error_set(err, ERROR_PARAMS, "the probe is too large");
	return used;
}
