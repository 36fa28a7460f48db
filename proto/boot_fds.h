/* SPDX-License-Identifier: MIT */
/*
 * boot_fds: how descriptors of ours stay out of the program's way, for the stub
 * and for the agent, each with its own system call: a program may close and
 * open descriptors by number (0 to 2, or the lowest that is free), and ours
 * must not be among them.
 */
#ifndef NOPDB_PROTO_BOOT_FDS_H
#define NOPDB_PROTO_BOOT_FDS_H

#include <asm/unistd.h>
#include <linux/time.h>

/* Where they go if the program's limit allows no higher number, and, on the
 * way, out of the first three. */
#define BOOT_FDS_LEAST 16
#define BOOT_FDS_NEAR 3

/* include/uapi/linux/fcntl.h, errno-base.h: <fcntl.h> excludes the former. */
#define BOOT_FDS_GETFD 1
#define BOOT_FDS_DUPFD_CLOEXEC 1030
#define BOOT_FDS_EBADF 9

/* How long one of the first three is waited for. */
#define BOOT_FDS_TURNS 200
#define BOOT_FDS_TURN_NS 2000000

/* A system call; its result, or a negative errno. */
typedef long boot_fds_call(long number, long a, long b, long c);

/* To the first free number from there on; fd itself when there is none. */
static inline long boot_fds_move(boot_fds_call *call, long fd, int from)
{
	long high = call(__NR_fcntl, fd, BOOT_FDS_DUPFD_CLOEXEC, from);

	if (high < 0)
		return fd;
	call(__NR_close, fd, 0, 0);
	return high;
}

/* Moves a new descriptor to the first free number from there on, or as high as
 * the program's limit allows; its number then. A negative fd is given back.
 * Should the table have to grow all the same, none of the first three numbers
 * is taken meanwhile. */
static inline long boot_fds_lift(boot_fds_call *call, long fd, int from)
{
	long near, high;

	if (fd < 0 || fd >= from)
		return fd;
	near = fd < BOOT_FDS_NEAR ? boot_fds_move(call, fd, BOOT_FDS_NEAR) : fd;
	high = boot_fds_move(call, near, from);
	if (high == near && near < BOOT_FDS_LEAST)
		high = boot_fds_move(call, near, BOOT_FDS_LEAST);
	return high;
}

/* A program that has closed one of its first three descriptors is about to open
 * another in its place, which must not become ours, nor the loader's: waits for
 * that, and not for one that runs without them for good. Without the GIL. */
static inline void boot_fds_await_standard(boot_fds_call *call)
{
	struct timespec turn = { 0, BOOT_FDS_TURN_NS };
	int turns = BOOT_FDS_TURNS;

	for (int fd = 0; fd < 3; fd++)
		while (call(__NR_fcntl, fd, BOOT_FDS_GETFD, 0) ==
			       -BOOT_FDS_EBADF &&
		       turns-- > 0)
			call(__NR_nanosleep, (long)&turn, 0, 0);
}

#endif
