/* SPDX-License-Identifier: MIT */
/*
 * socket_peer: the addresses of a process's socket, and the socket on this
 * machine that is its peer, by the tables of the process's own network
 * namespace; of Unix sockets by the kernel's diagnosis, in ours.
 */
#ifndef NOPDB_INJECTOR_STACK_SOCKET_PEER_H
#define NOPDB_INJECTOR_STACK_SOCKET_PEER_H

#include "injector/stack/descriptors.h"

/* Fills protocol, local and remote of the socket with descriptor->inode. */
void socket_describe(pid_t pid, struct descriptor *descriptor);

/* The inode of the socket at the other end; 0: not on this machine. */
uint64_t socket_peer_inode(pid_t pid, const struct descriptor *descriptor);

#endif
