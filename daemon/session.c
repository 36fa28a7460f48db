/* SPDX-License-Identifier: MIT */
#include "daemon/session.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/audit.h"
#include "daemon/daemon.h"
#include "daemon/gate.h"
#include "daemon/log.h"
#include "daemon/method.h"
#include "daemon/route.h"
#include "daemon/target.h"

#define SEND_BUFFER (1 << 20)
#define SILENT_NS (1000ull * 1000 * 1000)
/* Clients that were refused and are not gone yet. */
#define LEAVING_MOST 32

/* ---- calls
 * ---------------------------------------------------------------------- */

void session_add_call(struct session *session, struct call *call)
{
	TAILQ_INSERT_TAIL(&session->calls, call, of_session);
	session->call_count++;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf);

void session_remove_call(struct session *session, struct call *call)
{
	TAILQ_REMOVE(&session->calls, call, of_session);
	session->call_count--;
	if (!session->paused || session->finishing)
		return;
	session->paused = false;
	if (uv_read_start((uv_stream_t *)&session->pipe, on_alloc, on_read))
		session->hopeless = true;
}

static void orphan_calls(struct session *session)
{
	struct call *call;

	while ((call = TAILQ_FIRST(&session->calls))) {
		session_remove_call(session, call);
		call_orphan(call);
	}
}

/* ---- the end
 * --------------------------------------------------------------------- */

/* Gives up probes and holds, once. */
static void release(struct session *session)
{
	struct target *target, *next;

	if (session->released)
		return;
	session->released = true;
	session->subscriptions.count = 0;
	for (target = TAILQ_FIRST(&session->daemon->targets); target;
	     target = next) {
		next = TAILQ_NEXT(target, entry);
		target_let_go(target, session);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct session *session = handle->data;
	struct daemon *daemon = session->daemon;

	line_buffer_release(&session->in);
	outbox_release(&session->out);
	arrears_release(&session->arrears);
	free(session->writing);
	peer_release(&session->peer);
	free(session);
	daemon->session_count--;
	daemon_changed(daemon);
}

void session_close(struct session *session)
{
	if (uv_is_closing((uv_handle_t *)&session->pipe))
		return;
	session->finishing = true;
	orphan_calls(session);
	gate_session_ends(session);
	if (session->listed)
		TAILQ_REMOVE(&session->daemon->sessions, session, entry);
	session->listed = false;
	release(session);
	uv_close((uv_handle_t *)&session->pipe, on_closed);
}

void session_finish(struct session *session)
{
	if (session->finishing)
		return;
	session->finishing = true;
	uv_read_stop((uv_stream_t *)&session->pipe);
	release(session);
}

/* ---- output
 * ----------------------------------------------------------------------- */

void session_send(struct session *session, const char *line, size_t length)
{
	if (outbox_put_answer(&session->out, line, length) == OUTBOX_OVERFLOW)
		session->hopeless = true;
}

void session_send_capture(struct session *session, uint32_t probe,
			  const char *line, size_t length)
{
	switch (outbox_put_record(&session->out, line, length)) {
	case OUTBOX_QUEUED:
		return;
	case OUTBOX_DROPPED:
		session->daemon->counters.lost[LOSS_SLOW_CLIENT]++;
		if (arrears_add(&session->arrears, probe))
			return;
		break;
	case OUTBOX_OVERFLOW:
		break;
	}
	session->hopeless = true;
}

uint64_t session_lost(const struct session *session, uint32_t probe)
{
	const struct arrear *arrear = arrears_find(&session->arrears, probe);

	return arrear ? arrear->total : 0;
}

static void report_arrear(struct session *session, struct arrear *arrear)
{
	uint64_t count = arrear->unreported;

	arrear->unreported = 0;
	route_slow(session, arrear->probe, count);
}

void session_probe_ends(struct session *session, uint32_t probe)
{
	struct arrear *arrear = arrears_find(&session->arrears, probe);

	if (!arrear)
		return;
	if (arrear->unreported)
		report_arrear(session, arrear);
	arrears_forget(&session->arrears, probe);
}

static void on_written(uv_write_t *write, int status)
{
	struct session *session = write->data;

	free(session->writing);
	session->writing = NULL;
	outbox_written(&session->out);
	if (status < 0)
		session_close(session);
}

static void start_write(struct session *session)
{
	size_t length;
	char *data = outbox_take(&session->out, &length);
	uv_buf_t buf;

	if (!data)
		return;
	session->writing = data;
	session->write.data = session;
	buf = uv_buf_init(data, (unsigned)length);
	if (uv_write(&session->write, (uv_stream_t *)&session->pipe, &buf, 1,
		     on_written))
		session_close(session);
}

/* What a client may let wait, however little room there is. */
#define SHED_LEAST (256u << 10)

void session_shed(struct daemon *daemon)
{
	struct session *session, *most = NULL;

	TAILQ_FOREACH(session, &daemon->sessions, entry)
	{
		if (!most ||
		    outbox_size(&session->out) > outbox_size(&most->out))
			most = session;
	}
	if (most && outbox_size(&most->out) > SHED_LEAST)
		most->hopeless = true;
}

void session_flush(struct session *session)
{
	struct arrear *arrear;

	if (session->hopeless) {
		log_line("client pid %d does not read: closed",
			 (int)session->peer.pid);
		session_close(session);
		return;
	}
	while (outbox_recovered(&session->out) &&
	       (arrear = arrears_next(&session->arrears)))
		report_arrear(session, arrear);
	start_write(session);
	if (session->finishing && session->call_count == 0 &&
	    outbox_size(&session->out) == 0)
		session_close(session);
}

/* ---- input
 * ------------------------------------------------------------------------ */

/* A line without end: says so, and hears no more from this client. */
static void give_up(struct session *session, const struct error *err)
{
	char line[RPC_FAILURE_MAX];

	counters_failure(&session->daemon->counters, err->code);
	session_send(session, line, rpc_failure("null", err, line));
	session_finish(session);
}

static void take_lines(struct session *session)
{
	struct error err = ERROR_INIT;
	const char *line;
	size_t length;
	int got = 0;

	while (!session->finishing &&
	       (got = line_buffer_next(&session->in, &line, &length, &err)) >
		       0) {
		session->asked = true;
		method_dispatch(session, line, length);
	}
	if (got < 0)
		give_up(session, &err);
}

/* Has the peer closed its socket, and not only its sending half? */
static bool peer_gone(const struct session *session)
{
	struct pollfd poll_fd = { .events = POLLOUT };

	return uv_fileno((const uv_handle_t *)&session->pipe, &poll_fd.fd) ||
	       (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLHUP));
}

/* Without room the read fails with UV_ENOBUFS, see on_read: here reading may
 * not be stopped. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct session *session = handle->data;
	size_t size;

	*buf = uv_buf_init(NULL, 0);
	if (!line_buffer_room(&session->in, &buf->base, &size, NULL))
		buf->len = size;
}

static void no_room(struct session *session)
{
	struct error err = ERROR_INIT;
	char *data;
	size_t size;

	if (!line_buffer_room(&session->in, &data, &size, &err))
		return;
	session->paused = session->call_count > 0;
	if (session->paused)
		uv_read_stop((uv_stream_t *)&session->pipe);
	else
		give_up(session, &err);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
	struct session *session = stream->data;

	if (size > 0) {
		line_buffer_filled(&session->in, (size_t)size);
		take_lines(session);
	} else if (size == UV_ENOBUFS) {
		no_room(session);
	} else if (size == UV_EOF && !peer_gone(session)) {
		/* It may read still: what was asked is answered. */
		session->ending = true;
		if (gate_idle(session))
			session_finish(session);
	} else if (size < 0) {
		session_close(session);
	}
}

/* ---- the beginning
 * ------------------------------------------------------------------ */

static void reject(struct session *session, const struct error *err)
{
	log_line("client refused: %s", err->msg);
	audit_client(session->daemon, &session->peer, err);
	give_up(session, err);
}

/* Makes room: who connected and never said a whole line gives way to who comes
 * now, the oldest first. */
static bool evict_silent(struct daemon *daemon)
{
	struct error err = ERROR_INIT;
	struct session *session;

	TAILQ_FOREACH(session, &daemon->sessions, entry)
	{
		if (!session->asked && !session->finishing &&
		    uv_hrtime() - session->since_ns > SILENT_NS)
			break;
	}
	if (!session)
		return false;
	error_set(&err, ERROR_LIMIT, "no request came, and others want in");
	reject(session, &err);
	return true;
}

/* One user cannot take the places of all others. */
static int check_share(const struct session *session, struct error *err)
{
	const struct session *other;
	unsigned count = 0;

	if (peer_operates(&session->peer, geteuid()))
		return 0;
	TAILQ_FOREACH(other, &session->daemon->sessions, entry)
	count += other->peer.uid == session->peer.uid;
	if (count <= LIMIT_USER_CLIENTS)
		return 0;
	error_set(err, ERROR_LIMIT, "more than %d clients of user %u",
		  LIMIT_USER_CLIENTS, (unsigned)session->peer.uid);
	return error_remedy(err, "end some of them");
}

/* Who is it, and is there room? */
static int admit(struct session *session, struct error *err)
{
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&session->pipe, &fd))
		return error_set(err, ERROR_SYSTEM, "no descriptor");
	if (peer_read(fd, &session->peer, err) ||
	    (!session->daemon->house.shared &&
	     peer_permit(&session->peer, geteuid(), err)))
		return -1;
	if (session->daemon->session_count > LIMIT_CLIENTS &&
	    !evict_silent(session->daemon)) {
		error_set(err, ERROR_LIMIT, "more than %d clients",
			  LIMIT_CLIENTS);
		return error_remedy(err, "try again when some have left");
	}
	return check_share(session, err);
}

/* The kernel may hold as much as it lets us: it outlives us, so a client that
 * reads late still finds how it ended. */
static void widen(struct session *session)
{
	int size = SEND_BUFFER;

	uv_send_buffer_size((uv_handle_t *)&session->pipe, &size);
}

/* ---- no room for a client
 * ------------------------------------------------------- */

static void on_turned_away(uv_handle_t *handle)
{
	struct daemon *daemon = handle->data;

	daemon->turning_away = false;
	if (daemon->turn_away_next)
		session_accept(daemon, (uv_stream_t *)&daemon->server);
}

/* Takes the connection with a handle that is always there, says why in what
 * the socket takes at once, and closes it: one in a turn of the loop. */
static void turn_away(struct daemon *daemon, const struct error *err)
{
	uv_stream_t *stream = (uv_stream_t *)&daemon->turned_away;
	char line[RPC_FAILURE_MAX];
	uv_os_fd_t fd;

	daemon->turn_away_next = daemon->turning_away;
	if (daemon->turning_away)
		return;
	daemon->turning_away = true;
	log_line("client refused: %s", err->msg);
	counters_failure(&daemon->counters, err->code);
	uv_pipe_init(&daemon->loop, &daemon->turned_away, 0);
	stream->data = daemon;
	if (!uv_accept((uv_stream_t *)&daemon->server, stream) &&
	    !uv_fileno((uv_handle_t *)stream, &fd))
		(void)!send(fd, line, rpc_failure("null", err, line),
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	uv_close((uv_handle_t *)stream, on_turned_away);
}

static struct session *new_session(struct daemon *daemon)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->daemon = daemon;
	session->since_ns = uv_hrtime();
	line_buffer_init(&session->in);
	outbox_init(&session->out);
	session->in.budget = &daemon->budget;
	session->out.budget = &daemon->budget;
	arrears_init(&session->arrears);
	TAILQ_INIT(&session->calls);
	TAILQ_INIT(&session->gate);
	LIST_INIT(&session->grants);
	session->serial = ++daemon->session_serial;
	uv_pipe_init(&daemon->loop, &session->pipe, 0);
	session->pipe.data = session;
	daemon->session_count++;
	return session;
}

/* A new session; NULL: the client was turned away. */
static struct session *receive(struct daemon *daemon)
{
	struct session *session = NULL;
	struct error err = ERROR_INIT;

	if (daemon->session_count >= LIMIT_CLIENTS + LEAVING_MOST)
		error_set(&err, ERROR_LIMIT, "more than %d clients",
			  LIMIT_CLIENTS);
	else if (!(session = new_session(daemon)))
		error_set(&err, ERROR_NO_MEMORY, "no memory for a client");
	if (session)
		return session;
	error_remedy(&err, "try again");
	turn_away(daemon, &err);
	return NULL;
}

void session_accept(struct daemon *daemon, uv_stream_t *server)
{
	struct error err = ERROR_INIT;
	struct session *session = receive(daemon);

	if (!session)
		return;
	if (uv_accept(server, (uv_stream_t *)&session->pipe)) {
		session_close(session);
		return;
	}
	TAILQ_INSERT_TAIL(&daemon->sessions, session, entry);
	session->listed = true;
	widen(session);
	if (admit(session, &err))
		reject(session, &err);
	else if (uv_read_start((uv_stream_t *)&session->pipe, on_alloc,
			       on_read))
		session_close(session);
	else
		daemon->counters.clients++;
	daemon_changed(daemon);
}
