/* SPDX-License-Identifier: MIT */
/* Request lines as clients send them: whatever they are, an answer with a
 * valid id can be written, and it is one line of valid JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/rpc.h"
#include "proto/json_check.h"
#include "tests/fuzz/fuzz.h"

static void render_echo(struct json_writer *w, const void *arg)
{
	(void)w;
	(void)arg;
}

/* One line that the strict checker takes. */
static void check_answer(const char *line, size_t length)
{
	fuzz_check(line);
	fuzz_check(length > 1 && line[length - 1] == '\n');
	fuzz_check(!json_check(line, length - 1, NULL, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct rpc_request request;
	size_t length = 0;
	char failure[RPC_FAILURE_MAX];
	char *line = NULL;

	memset(&request, 0, sizeof(request));
	if (rpc_parse((const char *)data, size, &request, &err)) {
		fuzz_check(err.code != ERROR_NONE && err.msg[0]);
		length = rpc_failure(request.id, &err, failure);
	} else {
		fuzz_check(request.method && *request.method);
		fuzz_check(!request.params || cJSON_IsObject(request.params));
		line = rpc_result(request.id, render_echo, NULL, &length);
	}
	check_answer(line ? line : failure, length);
	free(line);
	rpc_request_release(&request);
	return 0;
}
