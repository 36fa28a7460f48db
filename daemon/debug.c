/* SPDX-License-Identifier: MIT */
#include "daemon/debug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/probe_life.h"
#include "daemon/route.h"
#include "daemon/session.h"
#include "daemon/target.h"

/* A client that lets so much wait does not read. */
#define UNREAD_MOST (LIMIT_CLIENT_QUEUE / 2)
/* Messages read in one turn. */
#define TURN 64

struct debugged {
	TAILQ_ENTRY(debugged) entry;
	uv_poll_t poll;
	int fd; /* owned */
	struct target *target;
	uint32_t probe;
	uint32_t session;
};

/* What a record of a session says. */
struct said {
	const struct debugged *debugged;
	const char *state;
	const char *member; /* NULL: none */
	const char *text;
	size_t length;
};

static void render(struct json_writer *w, const void *arg)
{
	const struct said *said = arg;

	json_key(w, "session");
	json_uint(w, said->debugged->session);
	json_key(w, "state");
	json_string(w, said->state);
	if (!said->member)
		return;
	json_key(w, said->member);
	json_string_n(w, said->text, said->length);
}

static struct probe *probe_of(const struct debugged *debugged)
{
	struct probe *probe = registry_find(&debugged->target->daemon->registry,
					    debugged->probe);

	return probe && probe->target == debugged->target ? probe : NULL;
}

static void tell(const struct debugged *debugged, const char *state,
		 const char *member, const char *text, size_t length)
{
	struct said said = { debugged, state, member, text, length };
	struct probe *probe = probe_of(debugged);

	if (probe && probe->owner)
		route_owner(probe, "debug", render, &said);
}

/* ---- the end
 * ------------------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Takes the session off, tells its client and the agent. */
static void finish(struct debugged *debugged, const char *reason)
{
	struct target *target = debugged->target;
	uint32_t session = debugged->session;

	tell(debugged, "closed", "reason", reason, strlen(reason));
	TAILQ_REMOVE(&target->debugged, debugged, entry);
	target->debugged_count--;
	uv_close((uv_handle_t *)&debugged->poll, on_closed);
	close(debugged->fd);
	log_line("%s: probe %u: debugger session %u ended: %s", target->name,
		 debugged->probe, session, reason);
	if (target->control_open)
		control_tell(&target->control, FRAME_DEBUG_OVER, &session,
			     sizeof(session));
}

/* It ended by itself: a probe whose limits are used up may go now. */
static void over(struct debugged *debugged, const char *reason)
{
	struct probe *probe = probe_of(debugged);

	finish(debugged, reason);
	if (probe)
		probe_life_debugged(probe);
}

void debug_end_probe(struct probe *probe)
{
	struct debugged *debugged, *next;

	for (debugged = TAILQ_FIRST(&probe->target->debugged); debugged;
	     debugged = next) {
		next = TAILQ_NEXT(debugged, entry);
		if (debugged->probe == probe->spec.id)
			finish(debugged, "removed");
	}
}

void debug_end_all(struct target *target)
{
	while (!TAILQ_EMPTY(&target->debugged))
		finish(TAILQ_FIRST(&target->debugged), "removed");
}

bool debug_holds(const struct probe *probe)
{
	const struct debugged *debugged;

	TAILQ_FOREACH(debugged, &probe->target->debugged, entry)
	{
		if (debugged->probe == probe->spec.id)
			return true;
	}
	return false;
}

/* ---- from the program
 * --------------------------------------------------------------------- */

/* Reasons are the agent's; others than these are not repeated. */
static const char *known_reason(const char *text, size_t length)
{
	static const char *const known[] = { "continue", "quit", "time-out",
					     NULL };

	for (const char *const *reason = known; *reason; reason++)
		if (strlen(*reason) == length && !memcmp(*reason, text, length))
			return *reason;
	return "lost";
}

/* Passes one message on; false when it ended the session. */
static bool take(struct debugged *debugged, const char *data, size_t size)
{
	struct probe *probe = probe_of(debugged);

	if (data[0] != 'o') {
		over(debugged, data[0] == 'e' ? known_reason(data + 1, size - 1)
					      : "lost");
		return false;
	}
	if (probe && probe->owner &&
	    outbox_size(&probe->owner->out) > UNREAD_MOST) {
		over(debugged, "slow-client");
		return false;
	}
	tell(debugged, "output", "text", data + 1, size - 1);
	return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct debugged *debugged = poll->data;
	char data[1 + LIMIT_DEBUG];

	for (int i = 0; i < TURN; i++) {
		/* Too long a datagram is cut: only what we may show counts. */
		ssize_t size =
			recv(debugged->fd, data, sizeof(data), MSG_DONTWAIT);

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (size <= 0) {
			over(debugged, "lost");
			return;
		}
		if (!take(debugged, data, (size_t)size))
			return;
	}
}

/* May this probe stop a thread, with somebody to talk to? */
static bool may_open(const struct target *target, const struct probe *probe)
{
	bool asked = false;

	if (!probe || !probe->owner || probe_ending(probe) ||
	    target->debugged_count >= LIMIT_DEBUGGED)
		return false;
	for (uint32_t i = 0; i < probe->spec.script.action_count; i++)
		asked |= probe->spec.script.actions[i].kind == ACTION_DEBUG;
	return asked;
}

static bool is_wire(int fd)
{
	int type = 0, domain = 0;
	socklen_t size = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       type == SOCK_SEQPACKET && domain == AF_UNIX;
}

void debug_open(struct target *target, const struct frame *frame, int fd)
{
	struct frame_debug says;
	struct debugged *debugged = NULL;
	struct probe *probe;

	memcpy(&says, frame->payload, sizeof(says));
	probe = registry_find(&target->daemon->registry, says.probe);
	if (probe && probe->target == target && may_open(target, probe) &&
	    is_wire(fd))
		debugged = calloc(1, sizeof(*debugged));
	if (debugged &&
	    uv_poll_init(&target->daemon->loop, &debugged->poll, fd)) {
		free(debugged);
		debugged = NULL;
	}
	if (!debugged) {
		close(fd);
		return;
	}
	debugged->fd = fd;
	debugged->target = target;
	debugged->probe = says.probe;
	debugged->session = says.session;
	debugged->poll.data = debugged;
	TAILQ_INSERT_TAIL(&target->debugged, debugged, entry);
	target->debugged_count++;
	log_line("%s: probe %u: debugger session %u", target->name, says.probe,
		 says.session);
	tell(debugged, "open", NULL, NULL, 0);
	uv_poll_start(&debugged->poll, UV_READABLE, on_poll);
}

/* ---- from the client
 * -------------------------------------------------------------------- */

static struct debugged *find(const struct probe *probe, uint32_t session)
{
	struct debugged *debugged;

	TAILQ_FOREACH(debugged, &probe->target->debugged, entry)
	{
		if (debugged->probe == probe->spec.id &&
		    debugged->session == session)
			return debugged;
	}
	return NULL;
}

int debug_input(struct probe *probe, const struct session *client,
		uint32_t session, const char *text, struct error *err)
{
	struct debugged *debugged = find(probe, session);

	if (!debugged || probe->owner != client)
		return error_set(err, ERROR_NO_PROBE,
				 "probe %u: no debugger session %u of yours",
				 probe->spec.id, session);
	if (!text) {
		over(debugged, "quit");
		return 0;
	}
	/* An empty datagram would be the end. */
	if (send(debugged->fd, *text ? text : "\n", *text ? strlen(text) : 1,
		 MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return error_set_errno(err, ERROR_LIMIT, errno,
			       "probe %u: the debugger does not read",
			       probe->spec.id);
}
