/* SPDX-License-Identifier: MIT */
#include "agent/control.h"

#include <asm/socket.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "agent/sys.h"

enum { FDS_MOST = 16 }; /* taken off the socket, to be closed */

static int socket_fd = -1;
static char input[LIMIT_FRAME];
static char output[LIMIT_FRAME];

void control_init(int fd)
{
	long timeout[2] = { CONTROL_SEND_MS / 1000,
			    CONTROL_SEND_MS % 1000 * 1000L };

	socket_fd = fd;
	sys_call(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, (long)timeout,
		 sizeof timeout, 0);
}

void control_release(void)
{
	int fd = socket_fd;

	/* Forgotten first: a fork may come in between. */
	socket_fd = -1;
	if (fd >= 0)
		sys_close(fd);
}

/* Keeps the first CONTROL_FDS descriptors of a datagram and closes the rest. */
static void take_fds(const struct msghdr *message, int fds[CONTROL_FDS])
{
	const struct cmsghdr *header = message->msg_control;
	const int *given = (const int *)(header + 1);
	size_t count = 0;

	for (int i = 0; i < CONTROL_FDS; i++)
		fds[i] = -1;
	if (message->msg_controllen < sizeof *header ||
	    header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return;
	if (header->cmsg_len > sizeof *header)
		count = (header->cmsg_len - sizeof *header) / sizeof *given;
	for (size_t i = 0; i < count && i < FDS_MOST; i++) {
		if (i < CONTROL_FDS)
			fds[i] = sys_lift(given[i]);
		else
			sys_close(given[i]);
	}
}

void control_close_fds(struct control_input *in)
{
	for (int i = 0; i < CONTROL_FDS; i++) {
		if (in->fds[i] >= 0)
			sys_close(in->fds[i]);
		in->fds[i] = -1;
	}
}

static enum control_result malformed(struct control_input *in,
				     const char *reason)
{
	control_close_fds(in);
	in->reason = reason;
	return CONTROL_MALFORMED;
}

bool control_wait(unsigned timeout_ms)
{
	return sys_wait_readable(socket_fd, timeout_ms);
}

enum control_result control_receive(struct control_input *ret_input,
				    unsigned timeout_ms)
{
	_Alignas(struct cmsghdr) char
		ancillary[CMSG_SPACE(FDS_MOST * sizeof(int))];
	struct iovec part = { input, sizeof input };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = ancillary,
		.msg_controllen = sizeof ancillary,
	};
	const char *reason;
	long size;

	if (!control_wait(timeout_ms))
		return CONTROL_SILENCE;
	do
		size = sys_call(SYS_recvmsg, socket_fd, (long)&message,
				MSG_CMSG_CLOEXEC, 0, 0, 0);
	while (size == -EINTR);
	if (size <= 0)
		return CONTROL_END;
	take_fds(&message, ret_input->fds);
	if (message.msg_flags & MSG_TRUNC)
		return malformed(ret_input, "longer than a frame may be");
	reason = frame_decode(input, (size_t)size, &ret_input->frame);
	if (reason)
		return malformed(ret_input, reason);
	return CONTROL_FRAME;
}

int control_send(enum frame_type type, uint32_t id, const void *payload,
		 uint32_t length)
{
	size_t size =
		frame_encode(output, sizeof output, type, id, payload, length);
	long sent;

	if (!size)
		return -1;
	sent = sys_call(SYS_sendto, socket_fd, (long)output, (long)size,
			MSG_NOSIGNAL, 0, 0);
	return sent == (long)size ? 0 : -1;
}

int control_send_fd(enum frame_type type, const void *payload, uint32_t length,
		    int fd)
{
	_Alignas(
		struct cmsghdr) char ancillary[CMSG_SPACE(sizeof(int))] = { 0 };
	char bytes[sizeof(struct frame_header) + 64];
	struct cmsghdr *header = (struct cmsghdr *)ancillary;
	struct iovec part = { bytes, frame_encode(bytes, sizeof bytes, type, 0,
						  payload, length) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = ancillary,
		.msg_controllen = sizeof ancillary,
	};

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(header + 1, &fd, sizeof fd);
	if (!part.iov_len)
		return -1;
	return sys_call(SYS_sendmsg, socket_fd, (long)&message, MSG_NOSIGNAL, 0,
			0, 0) == (long)part.iov_len
		       ? 0
		       : -1;
}

int control_send_error(uint32_t id, const struct frame_error *err)
{
	return control_send(FRAME_ERROR, id, err, sizeof *err);
}
