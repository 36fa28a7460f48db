/* SPDX-License-Identifier: MIT */
#include "clients/cli/verb.h"

#include "clients/cli/argument.h"
#include "clients/cli/stream.h"

static int follow(struct session *session, struct stream *stream,
		  uint32_t probe)
{
	cJSON *params = cJSON_CreateObject();

	if (probe) {
		cJSON_AddNumberToObject(params, "probe", probe);
		stream_expect(stream, probe);
	}
	if (session_call(session, "subscribe", params, NULL) < 0 ||
	    stream_run(stream) < 0)
		return session_failed(session);
	return session_finish(session, stream_status(stream));
}

static int run(struct session *session, int argc, char **argv)
{
	struct stream stream;
	uint32_t probe = 0;
	int status;

	if (argc > 1 && argument_probe(argv[1], &probe, &session->err) < 0)
		return session_failed(session);
	if (session_open(session) < 0 || stream_init(&stream, session, 1) < 0)
		return session_failed(session);
	stream.render.probe = probe == 0;
	status = follow(session, &stream, probe);
	stream_release(&stream);
	return status;
}

const struct verb verb_tail = {
	.name = "tail",
	.arguments = "[ID]",
	.summary = "the records of a probe, or of all, until Ctrl-C",
	.text = "With ID it ends when that probe does.\n",
	.groups = GROUP_GLOBAL | GROUP_SOURCE,
	.most = 1,
	.run = run,
};
