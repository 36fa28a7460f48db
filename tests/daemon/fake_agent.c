/* SPDX-License-Identifier: MIT */
#include "tests/daemon/fake_agent.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/boot.h"
#include "proto/frame.h"
#include "proto/probe_spec.h"
#include "proto/ring.h"

#define PROBES 64

struct fake_probe {
	uint32_t id; /* 0: free */
	bool flood;
	struct probe_stats stats;
};

struct fake_agent {
	int fd;
	int eventfd;
	struct ring *ring;
	size_t mapped;
	bool mute;
	bool leave;
	struct fake_probe probes[PROBES];
};

static atomic_int running;
static atomic_bool refuse_start;
static atomic_int stays;

void fake_agent_refuse_next_start(void)
{
	atomic_store(&refuse_start, true);
}

void fake_agent_stay(int times)
{
	atomic_store(&stays, times);
}

bool fake_agent_gone(unsigned timeout_ms)
{
	for (unsigned i = 0; atomic_load(&running) > 0; i++) {
		if (i == timeout_ms)
			return false;
		usleep(1000);
	}
	return true;
}

/* ---- what an agent says
 * ---------------------------------------------------------- */

static void say(struct fake_agent *agent, enum frame_type type, uint32_t id,
		const void *payload, size_t length)
{
	char buf[LIMIT_FRAME];
	size_t size = frame_encode(buf, sizeof(buf), type, id, payload,
				   (uint32_t)length);

	if (send(agent->fd, buf, size, MSG_NOSIGNAL) < 0)
		agent->leave = true;
}

static void say_text(struct fake_agent *agent, enum frame_type type,
		     uint32_t id, const char *text)
{
	say(agent, type, id, text, strlen(text));
}

static void say_error(struct fake_agent *agent, uint32_t id,
		      enum error_code code, const char *message)
{
	struct frame_error error = { .code = code };

	snprintf(error.message, sizeof(error.message), "%s", message);
	say(agent, FRAME_ERROR, id, &error, sizeof(error));
}

/* ---- captures
 * ---------------------------------------------------------------------- */

static bool put(struct fake_agent *agent, enum ring_kind kind, uint32_t probe,
		const char *body)
{
	uint64_t one = 1;
	enum ring_put result = ring_put(agent->ring, kind, probe, body,
					(uint32_t)strlen(body));

	if (result == RING_PUT_WAKE &&
	    write(agent->eventfd, &one, sizeof(one)) < 0)
		return false;
	return result == RING_PUT_OK || result == RING_PUT_WAKE;
}

static void put_call(struct fake_agent *agent, struct fake_probe *probe)
{
	char body[64];

	probe->stats.hits++;
	snprintf(body, sizeof(body), "{\"function\":\"m:f\",\"return\":%llu}",
		 (unsigned long long)probe->stats.hits);
	if (put(agent, RING_CALL, probe->id, body))
		probe->stats.captures++;
	else
		probe->stats.lost_ring++;
}

static void put_calls(struct fake_agent *agent, struct fake_probe *probe,
		      uint64_t count)
{
	while (count-- > 0)
		put_call(agent, probe);
}

/* ---- probes
 * ------------------------------------------------------------------------ */

static struct fake_probe *find(struct fake_agent *agent, uint32_t id)
{
	for (int i = 0; i < PROBES; i++) {
		if (agent->probes[i].id == id)
			return &agent->probes[i];
	}
	return NULL;
}

static const char armed[] =
	"{\"state\":\"armed\",\"locations\":[{\"function\":\"m:f\","
	"\"file\":\"m.py\",\"line\":1}]}";

/* Tells of a thread in a debugger; the descriptor, if any, goes along. */
static void say_debug(struct fake_agent *agent, uint32_t probe, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} space = { 0 };
	struct frame_debug says = { probe, 1 };
	char buf[sizeof(struct frame_header) + sizeof(says)];
	struct iovec iov = { buf, frame_encode(buf, sizeof(buf), FRAME_DEBUG, 0,
					       &says, sizeof(says)) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = space.buf;
		msg.msg_controllen = CMSG_LEN(sizeof(int));
		space.align.cmsg_level = SOL_SOCKET;
		space.align.cmsg_type = SCM_RIGHTS;
		space.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&space.align), &fd, sizeof(fd));
	}
	if (sendmsg(agent->fd, &msg, MSG_NOSIGNAL) < 0)
		abort();
}

/* A session: prompts with bytes that are no text, repeats one line, ends with
 * a reason that there is not. One that the daemon does not take is closed. */
static void debug(struct fake_agent *agent, struct fake_probe *probe)
{
	struct timeval patience = { .tv_sec = 10 };
	char line[64];
	ssize_t size;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		abort();
	say_debug(agent, probe->id, ends[1]);
	close(ends[1]);
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	(void)!send(ends[0], "o\xff\n> ", 5, MSG_NOSIGNAL);
	size = recv(ends[0], line + 1, sizeof(line) - 1, 0);
	line[0] = 'o';
	if (size > 0) {
		(void)!send(ends[0], line, (size_t)size + 1, MSG_NOSIGNAL);
		(void)!send(ends[0], "enonsense", 9, MSG_NOSIGNAL);
	} else if (size == 0 || errno == ECONNRESET) {
		put_call(agent, probe);
	}
	close(ends[0]);
}

/* Does what the function's name tells, after the answer. */
static void act(struct fake_agent *agent, struct fake_probe *probe,
		const struct probe_spec *spec)
{
	const char *name = spec->where.function;

	if (!strncmp(name, "calls", 5)) {
		put_calls(agent, probe, strtoul(name + 5, NULL, 10));
	} else if (!strcmp(name, "hits")) {
		put_calls(agent, probe, spec->limits.hits);
		put(agent, RING_DONE, probe->id, "{\"reason\":\"hits\"}");
	} else if (!strcmp(name, "pending")) {
		put(agent, RING_PROBE, probe->id, armed);
		put_call(agent, probe);
	} else if (!strcmp(name, "debug")) {
		debug(agent, probe);
	} else if (!strcmp(name, "mute")) {
		agent->mute = true;
	} else if (!strcmp(name, "flood")) {
		probe->flood = true;
	} else if (!strcmp(name, "invalid")) {
		put(agent, RING_CALL, probe->id, "{\"a\":");
		put(agent, RING_CALL, probe->id, "{\"seq\":1}");
		put_call(agent, probe);
	} else if (!strcmp(name, "damage")) {
		struct ring_record *record =
			(void *)((char *)agent->ring + RING_HEADER);
		uint64_t one = 1;

		atomic_store(&record->word, 7);
		(void)!write(agent->eventfd, &one, sizeof(one));
	}
}

static void add(struct fake_agent *agent, const struct frame *frame)
{
	struct fake_probe *probe = find(agent, 0);
	struct probe_spec spec;
	const char *name = spec.where.function;

	if (probe_spec_decode(frame->payload, frame->length, &spec) || !probe) {
		say_error(agent, frame->id, ERROR_PARAMS, "bad spec");
		return;
	}
	if (!strcmp(name, "refuse")) {
		say_error(agent, frame->id, ERROR_LOCATION, "no such thing");
	} else if (!strcmp(name, "garbage")) {
		(void)!send(agent->fd, "garbage", 7, MSG_NOSIGNAL);
	} else if (!strcmp(name, "vanish")) {
		agent->leave = true;
	} else {
		*probe = (struct fake_probe){ .id = spec.id };
		probe->stats.probe = spec.id;
		if (!strcmp(name, "early")) {
			put_calls(agent, probe, 3);
			usleep(20000);
		}
		say_text(agent, FRAME_PROBE_STATE, frame->id,
			 strcmp(name, "pending")
				 ? armed
				 : "{\"state\":\"pending\",\"locations\":[]}");
		act(agent, probe, &spec);
	}
}

static void drop(struct fake_agent *agent, const struct frame *frame)
{
	struct fake_probe *probe;
	uint32_t id;

	memcpy(&id, frame->payload, sizeof(id));
	probe = find(agent, id);
	if (!probe || id == 0) {
		say_error(agent, frame->id, ERROR_NO_PROBE, "no such probe");
		return;
	}
	say(agent, FRAME_PROBE_REMOVED, frame->id, &probe->stats,
	    sizeof(probe->stats));
	probe->id = 0;
	probe->flood = false;
}

static void pong(struct fake_agent *agent, uint32_t id)
{
	struct probe_stats stats[PROBES];
	size_t count = 0;

	for (int i = 0; i < PROBES; i++) {
		if (agent->probes[i].id)
			stats[count++] = agent->probes[i].stats;
	}
	say(agent, FRAME_PONG, id, stats, count * sizeof(*stats));
}

/* ---- the thread
 * -------------------------------------------------------------------- */

static void take_frame(struct fake_agent *agent, const struct frame *frame)
{
	uint32_t unload = BOOT_UNLOAD;

	switch (frame->type) {
	case FRAME_PING:
		pong(agent, frame->id);
		break;
	case FRAME_PROBE_ADD:
		add(agent, frame);
		break;
	case FRAME_PROBE_REMOVE:
		drop(agent, frame);
		break;
	case FRAME_PROBE_ENABLE:
		say_text(agent, FRAME_PROBE_STATE, frame->id, armed);
		break;
	case FRAME_PROBE_DISABLE:
		say_text(agent, FRAME_PROBE_STATE, frame->id,
			 "{\"state\":\"disabled\"}");
		break;
	case FRAME_LINES:
		say_text(agent, FRAME_LINES_ANSWER, frame->id,
			 "{\"locations\":[{\"function\":\"m:f\",\"file\":"
			 "\"m.py\",\"line\":1,\"lines\":[1,2]}]}");
		break;
	case FRAME_DEBUG_OVER:
		break;
	case FRAME_LEAVE:
		say(agent, FRAME_LEAVING, frame->id, &unload, sizeof(unload));
		agent->leave = true;
		break;
	default:
		abort();
	}
}

/* Takes START with its two descriptors. */
static bool start(struct fake_agent *agent)
{
	union {
		char buf[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} space;
	char buf[LIMIT_FRAME];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = space.buf,
			      .msg_controllen = sizeof(space.buf) };
	ssize_t size = recvmsg(agent->fd, &msg, MSG_CMSG_CLOEXEC);
	struct frame_start begin;
	struct frame frame;
	int fds[2];

	if (size <= 0 || frame_decode(buf, (size_t)size, &frame) ||
	    frame.type != FRAME_START || !CMSG_FIRSTHDR(&msg))
		return false;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fds));
	memcpy(&begin, frame.payload, sizeof(begin));
	agent->mapped = RING_HEADER + begin.ring_size;
	agent->ring = mmap(NULL, agent->mapped, PROT_READ | PROT_WRITE,
			   MAP_SHARED, fds[0], 0);
	close(fds[0]);
	agent->eventfd = fds[1];
	if (agent->ring == MAP_FAILED ||
	    !ring_valid(agent->ring, agent->mapped))
		abort();
	if (atomic_exchange(&refuse_start, false)) {
		say_error(agent, frame.id, ERROR_ENGINE, "self-test failed");
		return false;
	}
	say_text(agent, FRAME_READY, frame.id,
		 "{\"python\":\"3.11.7\",\"engine\":\"fake\"}");
	return true;
}

static void serve(struct fake_agent *agent)
{
	struct pollfd poll_fd = { .fd = agent->fd, .events = POLLIN };
	char buf[LIMIT_FRAME];
	struct frame frame;
	bool flood = false;

	while (!agent->leave) {
		for (int i = 0; i < PROBES; i++) {
			if (agent->probes[i].flood)
				put_calls(agent, &agent->probes[i], 200);
			flood |= agent->probes[i].flood;
		}
		if (poll(&poll_fd, 1, flood ? 0 : -1) <= 0)
			continue;
		ssize_t size = recv(agent->fd, buf, sizeof(buf), 0);

		if (size <= 0)
			break;
		if (frame_decode(buf, (size_t)size, &frame))
			abort();
		if (!agent->mute)
			take_frame(agent, &frame);
	}
}

static void *agent_main(void *arg)
{
	struct fake_agent *agent = arg;

	if (start(agent))
		serve(agent);
	if (agent->ring)
		munmap(agent->ring, agent->mapped);
	if (agent->eventfd >= 0)
		close(agent->eventfd);
	close(agent->fd);
	free(agent);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* ---- the way in
 * ---------------------------------------------------------------------- */

static int fake_inject(const struct process_id *id,
		       const struct inject_options *options,
		       struct inject_report *ret_report, struct error *err)
{
	struct fake_agent *agent = calloc(1, sizeof(*agent));
	pthread_t thread;
	int pair[2];

	if (!agent ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		abort();
	agent->fd = pair[1];
	agent->eventfd = -1;
	atomic_fetch_add(&running, 1);
	if (pthread_create(&thread, NULL, agent_main, agent))
		abort();
	pthread_detach(thread);
	*ret_report = (struct inject_report){ .control_fd = pair[0],
					      .python_version = 0x030b07,
					      .pause_ns = 123000,
					      .tries = 1 };
	return 0;
}

static int fake_wait_gone(const struct process_id *id,
			  const struct inject_report *report,
			  unsigned timeout_ms, struct error *err)
{
	if (atomic_load(&stays) > 0)
		atomic_fetch_sub(&stays, 1);
	else if (fake_agent_gone(timeout_ms))
		return 0;
	return error_set(err, ERROR_TIMEOUT, "the agent is still there");
}

const struct way_in way_in_fake = { fake_inject, fake_wait_gone };
