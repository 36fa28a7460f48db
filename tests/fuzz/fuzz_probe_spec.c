/* SPDX-License-Identifier: MIT */
/* Encoded probes: whatever decodes is within bounds, and survives a second
 * round. Inputs that start with an even byte are a spec's own fields. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/probe_spec.h"
#include "tests/fuzz/fuzz.h"

/* Strings end within their fields, and a second encoding says the same. */
static void check_spec(const struct probe_spec *spec)
{
	static uint8_t once[PROBE_SPEC_MAX], twice[PROBE_SPEC_MAX];
	struct probe_spec again;
	size_t length;

	fuzz_check(memchr(spec->where.module, 0, LIMIT_NAME));
	fuzz_check(memchr(spec->where.file, 0, LIMIT_PATH));
	fuzz_check(memchr(spec->where.function, 0, LIMIT_NAME));
	fuzz_check(spec->limits.depth <= LIMIT_DEPTH);
	fuzz_check(spec->script.action_count <= LIMIT_ACTIONS);
	for (uint32_t i = 0; i < spec->script.action_count; i++)
		fuzz_check(strlen(spec->script.actions[i].text) < LIMIT_CODE);
	length = probe_spec_encode(spec, once, sizeof(once));
	fuzz_check(length > 0);
	fuzz_check(!probe_spec_decode(once, length, &again));
	fuzz_check(probe_spec_encode(&again, twice, sizeof(twice)) == length);
	fuzz_check(!memcmp(once, twice, length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[PROBE_SPEC_MAX];
	struct probe_spec spec, decoded;
	size_t length;

	if (!size)
		return 0;
	memset(&decoded, 0, sizeof(decoded));
	if (data[0] & 1) {
		if (!probe_spec_decode(data + 1, size - 1, &decoded))
			check_spec(&decoded);
		return 0;
	}
	memset(&spec, 0, sizeof(spec));
	memcpy(&spec, data + 1,
	       size - 1 < offsetof(struct probe_spec, script)
		       ? size - 1
		       : offsetof(struct probe_spec, script));
	spec.where.module[LIMIT_NAME - 1] = 0;
	spec.where.file[LIMIT_PATH - 1] = 0;
	spec.where.function[LIMIT_NAME - 1] = 0;
	spec.limits.redaction.also[LIMIT_REDACT - 1] = 0;
	spec.limits.redaction.except[LIMIT_REDACT - 1] = 0;
	length = probe_spec_encode(&spec, buf, sizeof(buf));
	if (length && !probe_spec_decode(buf, length, &decoded))
		check_spec(&decoded);
	return 0;
}
