/* SPDX-License-Identifier: MIT */
#include "injector/stack/socket_peer.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "injector/owned.h"
#include "injector/target/procfs.h"

#define TABLE_BYTES (16u << 20)
#define ANSWER_BYTES 8192

struct table {
	const char *file, *protocol;
};

static const struct table tables[] = {
	{ "net/tcp", "tcp" },
	{ "net/tcp6", "tcp" },
	{ "net/udp", "udp" },
	{ "net/udp6", "udp" },
};

/* A line of net/tcp: "sl: LOCAL:PORT REMOTE:PORT ..." in hex. */
struct line {
	char local[33], remote[33];
	unsigned local_port, remote_port;
	uint64_t inode;
};

static bool parse_line(const char *text, struct line *line)
{
	return sscanf(text,
		      " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %*x %*x:%*x "
		      "%*x:%*x %*x %*u %*u %" SCNu64,
		      line->local, &line->local_port, line->remote,
		      &line->remote_port, &line->inode) == 5;
}

/* The tables print the words of an address as the machine has them. */
static void show_address(const char *hex, unsigned port, char *buf, size_t size)
{
	uint32_t words[4] = { 0 };
	size_t count = strlen(hex) / 8;
	char text[INET6_ADDRSTRLEN] = "?";

	for (size_t i = 0; i < count && i < 4; i++)
		(void)!sscanf(hex + i * 8, "%8x", &words[i]);
	inet_ntop(count == 1 ? AF_INET : AF_INET6, words, text, sizeof(text));
	snprintf(buf, size, count == 1 ? "%s:%u" : "[%s]:%u", text, port);
}

static bool find_line(char *text, uint64_t inode, struct line *ret_line)
{
	char *save, *row = strtok_r(text, "\n", &save);

	for (; row; row = strtok_r(NULL, "\n", &save))
		if (parse_line(row, ret_line) && ret_line->inode == inode)
			return true;
	return false;
}

static bool describe_unix(pid_t pid, struct descriptor *descriptor)
{
	owned_mem char *text = NULL;
	char *save, *row, path[128];
	uint64_t inode;
	size_t size;

	text = procfs_read_all(pid, "net/unix", TABLE_BYTES, &size);
	row = text ? strtok_r(text, "\n", &save) : NULL;
	for (; row; row = strtok_r(NULL, "\n", &save)) {
		path[0] = '\0';
		if (sscanf(row,
			   "%*x: %*x %*x %*x %*x %*x %" SCNu64 " %127[^\n]",
			   &inode, path) < 1 ||
		    inode != descriptor->inode)
			continue;
		snprintf(descriptor->protocol, sizeof(descriptor->protocol),
			 "unix");
		snprintf(descriptor->local, sizeof(descriptor->local), "%s",
			 path);
		return true;
	}
	return false;
}

void socket_describe(pid_t pid, struct descriptor *descriptor)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		owned_mem char *text = NULL;
		struct line line;
		size_t size;

		text = procfs_read_all(pid, tables[i].file, TABLE_BYTES, &size);
		if (!text || !find_line(text, descriptor->inode, &line))
			continue;
		snprintf(descriptor->protocol, sizeof(descriptor->protocol),
			 "%s", tables[i].protocol);
		show_address(line.local, line.local_port, descriptor->local,
			     sizeof(descriptor->local));
		if (line.remote_port)
			show_address(line.remote, line.remote_port,
				     descriptor->remote,
				     sizeof(descriptor->remote));
		return;
	}
	describe_unix(pid, descriptor);
}

/* ---- the peer
 * ------------------------------------------------------------------ */

static unsigned port_of(const char *address)
{
	const char *port = strrchr(address, ':');

	return port ? (unsigned)strtoul(port + 1, NULL, 10) : 0;
}

static bool mirrors(const struct line *line, const struct descriptor *other)
{
	char local[DESCRIPTOR_TEXT], remote[DESCRIPTOR_TEXT];

	show_address(line->local, line->local_port, local, sizeof(local));
	show_address(line->remote, line->remote_port, remote, sizeof(remote));
	return !strcmp(local, other->remote) && !strcmp(remote, other->local);
}

/* What listens where the descriptor is connected to, and has not accepted it
 * yet. */
static bool listens_for(const struct line *line, const struct descriptor *other)
{
	char local[DESCRIPTOR_TEXT];

	if (line->remote_port || strcmp(other->protocol, "tcp") != 0)
		return false;
	show_address(line->local, line->local_port, local, sizeof(local));
	if (!strcmp(local, other->remote))
		return true;
	return line->local[strspn(line->local, "0")] == '\0' &&
	       line->local_port == port_of(other->remote);
}

static uint64_t peer_in_table(pid_t pid, const char *file,
			      const struct descriptor *descriptor,
			      bool (*is_peer)(const struct line *line,
					      const struct descriptor *other))
{
	owned_mem char *text = NULL;
	char *save, *row;
	struct line line;
	size_t size;

	text = procfs_read_all(pid, file, TABLE_BYTES, &size);
	row = text ? strtok_r(text, "\n", &save) : NULL;
	for (; row; row = strtok_r(NULL, "\n", &save))
		if (parse_line(row, &line) && line.inode &&
		    is_peer(&line, descriptor))
			return line.inode;
	return 0;
}

static uint64_t peer_in_tables(pid_t pid, const struct descriptor *descriptor)
{
	uint64_t inode = 0;

	for (int pass = 0; pass < 2 && !inode; pass++)
		for (size_t i = 0;
		     !inode && i < sizeof(tables) / sizeof(tables[0]); i++)
			if (!strcmp(tables[i].protocol, descriptor->protocol))
				inode = peer_in_table(
					pid, tables[i].file, descriptor,
					pass ? listens_for : mirrors);
	return inode;
}

static bool ask_unix(int fd, uint64_t inode)
{
	struct {
		struct nlmsghdr header;
		struct unix_diag_req request;
	} message = {
		.header = { .nlmsg_len = sizeof(message),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.request = { .sdiag_family = AF_UNIX,
			     .udiag_states = UINT32_MAX,
			     .udiag_ino = (uint32_t)inode,
			     .udiag_show = UDIAG_SHOW_PEER,
			     .udiag_cookie = { UINT32_MAX, UINT32_MAX } },
	};

	return send(fd, &message, sizeof(message), 0) ==
	       (ssize_t)sizeof(message);
}

static uint64_t peer_in_answer(const struct nlmsghdr *header, ssize_t size)
{
	const struct unix_diag_msg *answer = NLMSG_DATA(header);
	const struct rtattr *part;
	uint32_t inode;
	int left;

	if (size < 0 || !NLMSG_OK(header, (uint32_t)size) ||
	    header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	left = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*answer));
	for (part = (const struct rtattr *)(answer + 1); RTA_OK(part, left);
	     part = RTA_NEXT(part, left)) {
		if (part->rta_type != UNIX_DIAG_PEER ||
		    RTA_PAYLOAD(part) < sizeof(inode))
			continue;
		memcpy(&inode, RTA_DATA(part), sizeof(inode));
		return inode;
	}
	return 0;
}

static uint64_t peer_of_unix(uint64_t inode)
{
	union {
		struct nlmsghdr header;
		char bytes[ANSWER_BYTES];
	} answer;
	struct timeval patience = { .tv_usec = 100000 };
	owned_fd fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) != 0 ||
	    !ask_unix(fd, inode))
		return 0;
	return peer_in_answer(&answer.header,
			      recv(fd, &answer, sizeof(answer), 0));
}

uint64_t socket_peer_inode(pid_t pid, const struct descriptor *descriptor)
{
	if (!strcmp(descriptor->protocol, "unix"))
		return peer_of_unix(descriptor->inode);
	return descriptor->remote[0] ? peer_in_tables(pid, descriptor) : 0;
}
