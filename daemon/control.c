/* SPDX-License-Identifier: MIT */
#include "daemon/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX (256u << 10) /* bytes that wait for a slow agent */
#define FRAMES_A_TURN 64

struct control_exchange {
	TAILQ_ENTRY(control_exchange) entry;
	uint32_t id;
	enum frame_type expect;
	control_done *done;
	void *arg;
};

struct control_packet {
	TAILQ_ENTRY(control_packet) entry;
	size_t size;
	char data[];
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- open and close
 * ------------------------------------------------------------ */

int control_open(struct control *control, uv_loop_t *loop, int fd,
		 const struct control_events *events, void *owner,
		 struct error *err)
{
	int rc;

	*control = (struct control){
		.fd = fd, .events = events, .owner = owner, .next_id = 1
	};
	TAILQ_INIT(&control->exchanges);
	TAILQ_INIT(&control->queue);
	rc = uv_poll_init(loop, &control->poll, fd);
	if (rc) {
		close(fd);
		control->fd = -1;
		return error_set_errno(err, ERROR_SYSTEM, -rc,
				       "control socket");
	}
	control->poll.data = control;
	uv_poll_start(&control->poll, UV_READABLE, on_poll);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct control *control = handle->data;

	control->events->closed(control);
}

static void drop_queue(struct control *control)
{
	struct control_packet *packet;

	while ((packet = TAILQ_FIRST(&control->queue))) {
		TAILQ_REMOVE(&control->queue, packet, entry);
		free(packet);
	}
	control->queued = 0;
}

/* Takes an exchange off the list and tells who asked. */
static void finish(struct control *control, struct control_exchange *exchange,
		   const struct frame *answer, const struct error *err)
{
	control_done *done = exchange->done;
	void *arg = exchange->arg;

	TAILQ_REMOVE(&control->exchanges, exchange, entry);
	free(exchange);
	done(control, arg, answer, err);
}

void control_close(struct control *control, const struct error *reason)
{
	struct control_exchange *exchange;

	if (control->fd < 0)
		return;
	uv_close((uv_handle_t *)&control->poll, on_closed);
	close(control->fd);
	control->fd = -1;
	drop_queue(control);
	while ((exchange = TAILQ_FIRST(&control->exchanges)))
		finish(control, exchange, NULL, reason);
}

/* ---- sending
 * ------------------------------------------------------------------- */

static void want_events(struct control *control)
{
	int events = UV_READABLE;

	if (!TAILQ_EMPTY(&control->queue))
		events |= UV_WRITABLE;
	uv_poll_start(&control->poll, events, on_poll);
}

/* Sends one datagram; the descriptors, if any, go with it. */
static ssize_t send_datagram(int fd, const void *data, size_t size,
			     const int *fds)
{
	union {
		char buf[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} space = { 0 };
	struct iovec iov = { (void *)data, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fds) {
		struct cmsghdr *header;

		msg.msg_control = space.buf;
		msg.msg_controllen = sizeof(space.buf);
		header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(2 * sizeof(int));
		memcpy(CMSG_DATA(header), fds, 2 * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int enqueue(struct control *control, const void *data, size_t size,
		   struct error *err)
{
	struct control_packet *packet;

	if (control->queued + size > QUEUE_MAX)
		return error_set(err, ERROR_AGENT,
				 "the agent does not read its frames");
	packet = malloc(sizeof(*packet) + size);
	if (!packet)
		return error_set(err, ERROR_NO_MEMORY, "no memory for a frame");
	packet->size = size;
	memcpy(packet->data, data, size);
	TAILQ_INSERT_TAIL(&control->queue, packet, entry);
	control->queued += size;
	want_events(control);
	return 0;
}

/* Sends a frame now, or later when the socket is full. */
static int send_frame(struct control *control, enum frame_type type,
		      uint32_t id, const void *payload, uint32_t length,
		      const int *fds, struct error *err)
{
	static char buf[LIMIT_FRAME]; /* loop thread only */
	size_t size = frame_encode(buf, sizeof(buf), type, id, payload, length);

	if (control->fd < 0)
		return error_set(err, ERROR_AGENT, "the agent is gone");
	if (size == 0)
		return error_set(err, ERROR_INTERNAL, "frame too large");
	if (TAILQ_EMPTY(&control->queue)) {
		if (send_datagram(control->fd, buf, size, fds) >= 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			return error_set_errno(err, ERROR_AGENT, errno,
					       "send to the agent");
	}
	if (fds)
		return error_set(err, ERROR_AGENT,
				 "the agent's socket is full");
	return enqueue(control, buf, size, err);
}

static void send_queue(struct control *control)
{
	struct control_packet *packet, *next;

	for (packet = TAILQ_FIRST(&control->queue); packet; packet = next) {
		next = TAILQ_NEXT(packet, entry);
		/* A socket that ended shows as readable, too. */
		if (send_datagram(control->fd, packet->data, packet->size,
				  NULL) < 0)
			break;
		TAILQ_REMOVE(&control->queue, packet, entry);
		control->queued -= packet->size;
		free(packet);
	}
	want_events(control);
}

int control_ask_with_fds(struct control *control, enum frame_type type,
			 enum frame_type expect, const void *payload,
			 uint32_t length, const int *fds, control_done *done,
			 void *arg, struct error *err)
{
	struct control_exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return error_set(err, ERROR_NO_MEMORY,
				 "no memory for a request to the agent");
	exchange->id = control->next_id++;
	if (control->next_id == 0)
		control->next_id = 1;
	if (send_frame(control, type, exchange->id, payload, length, fds,
		       err)) {
		free(exchange);
		return -1;
	}
	exchange->expect = expect;
	exchange->done = done;
	exchange->arg = arg;
	TAILQ_INSERT_TAIL(&control->exchanges, exchange, entry);
	return 0;
}

int control_ask(struct control *control, enum frame_type type,
		enum frame_type expect, const void *payload, uint32_t length,
		control_done *done, void *arg, struct error *err)
{
	return control_ask_with_fds(control, type, expect, payload, length,
				    NULL, done, arg, err);
}

void control_tell(struct control *control, enum frame_type type,
		  const void *payload, uint32_t length)
{
	(void)!send_frame(control, type, 0, payload, length, NULL, NULL);
}

void control_ping(struct control *control)
{
	uint32_t id = control->next_id++;

	if (control->next_id == 0)
		control->next_id = 1;
	control->unanswered++;
	/* A failure shows as silence or as the socket's end. */
	if (TAILQ_EMPTY(&control->queue))
		(void)!send_frame(control, FRAME_PING, id, NULL, 0, NULL, NULL);
}

bool control_waits(const struct control *control)
{
	return !TAILQ_EMPTY(&control->exchanges);
}

/* Tells the owner once that the socket is of no more use. */
static void end(struct control *control, bool broken, const char *why)
{
	if (control->ended)
		return;
	control->ended = true;
	uv_poll_stop(&control->poll);
	control->events->ended(control, broken, why);
}

/* ---- receiving
 * ------------------------------------------------------------------- */

static struct control_exchange *find(struct control *control, uint32_t id)
{
	struct control_exchange *exchange;

	TAILQ_FOREACH(exchange, &control->exchanges, entry)
	{
		if (exchange->id == id)
			return exchange;
	}
	return NULL;
}

/* The agent's own words about a failure; its strings are not trusted. */
static void take_error(const struct frame *frame, struct error *err)
{
	struct frame_error said;

	memcpy(&said, frame->payload, sizeof(said));
	said.message[sizeof(said.message) - 1] = '\0';
	said.remedy[sizeof(said.remedy) - 1] = '\0';
	if (said.code <= ERROR_NONE || said.code >= ERROR_COUNT)
		said.code = ERROR_AGENT;
	error_set(err, said.code, "%s", said.message);
	if (said.remedy[0])
		error_remedy(err, "%s", said.remedy);
}

/* An error that answers nothing: why the agent is about to end. */
static const char *take_farewell(const struct frame *frame)
{
	static struct error last; /* loop thread only */

	take_error(frame, &last);
	return last.msg;
}

/* Returns why the frame is none that an agent of ours sends here, or NULL. */
static const char *take_answer(struct control *control,
			       const struct frame *frame)
{
	struct control_exchange *exchange = find(control, frame->id);
	struct error err = ERROR_INIT;

	if (!exchange && frame->type == FRAME_ERROR)
		return take_farewell(frame);
	if (!exchange)
		return "answer to nothing";
	if (frame->type == FRAME_ERROR) {
		take_error(frame, &err);
		finish(control, exchange, NULL, &err);
		return NULL;
	}
	if (frame->type != exchange->expect)
		return "answer of the wrong type";
	finish(control, exchange, frame, NULL);
	return NULL;
}

/* fd: what came along, or -1; taken over by who wants it. */
static const char *take_frame(struct control *control,
			      const struct frame *frame, int *fd)
{
	control->unanswered = 0;
	switch (frame->type) {
	case FRAME_PONG:
		control->events->pong(control, frame);
		return NULL;
	case FRAME_DEBUG:
		if (*fd < 0)
			return "a debugger without a socket";
		control->events->debug(control, frame, *fd);
		*fd = -1;
		return NULL;
	case FRAME_LEAVING:
		if (!find(control, frame->id)) {
			control->events->leaving(control, frame);
			return NULL;
		}
		return take_answer(control, frame);
	case FRAME_READY:
	case FRAME_PROBE_STATE:
	case FRAME_PROBE_REMOVED:
	case FRAME_LINES_ANSWER:
	case FRAME_VALUE:
	case FRAME_ERROR:
		return take_answer(control, frame);
	default:
		return "frame of the wrong direction";
	}
}

/* Reads a datagram, and the descriptor that came with it; the kernel closes
 * what does not fit. */
static ssize_t receive_datagram(int socket_fd, void *data, size_t size,
				int *ret_fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} space = { 0 };
	struct iovec iov = { data, size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = space.buf,
			      /* Room for one, no more. */
			      .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t got = recvmsg(socket_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *header;

	/* The agent closed its end with something unread. The kernel says that
	 * first, and then gives what the agent sent before, its reason
	 * perhaps. */
	if (got < 0 && errno == ECONNRESET)
		got = recvmsg(socket_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	header = got > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (header && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len >= CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
	return got;
}

/* Reads one datagram. Returns false when there is none or the socket ended. */
static bool receive(struct control *control)
{
	/* Larger by one, so that too long a datagram shows as such. */
	static _Alignas(16) char buf[LIMIT_FRAME + 1];
	struct frame frame;
	const char *why;
	int fd = -1;
	ssize_t size = receive_datagram(control->fd, buf, sizeof(buf), &fd);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (size <= 0) {
		end(control, false, "its socket ended");
		return false;
	}
	why = frame_decode(buf, (size_t)size, &frame);
	if (!why)
		why = take_frame(control, &frame, &fd);
	if (fd >= 0)
		close(fd);
	if (why && control->fd >= 0)
		end(control, true, why);
	return !why;
}

void control_catch_up(struct control *control)
{
	for (int i = 0; i < FRAMES_A_TURN && control->fd >= 0; i++) {
		if (!receive(control))
			break;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct control *control = poll->data;

	if (status < 0) {
		control_catch_up(control);
		if (control->fd >= 0)
			end(control, false, uv_strerror(status));
		return;
	}
	if (events & UV_WRITABLE)
		send_queue(control);
	control_catch_up(control);
}
