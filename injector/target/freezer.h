/* SPDX-License-Identifier: MIT */
/*
 * freezer: has the control group of a process frozen it? A frozen process
 * shows as asleep, but runs no instruction until it is thawed. Both versions
 * of control groups are looked at.
 */
#ifndef NOPDB_INJECTOR_FREEZER_H
#define NOPDB_INJECTOR_FREEZER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The path of the group that freezes the process, below the mount of its
 * hierarchy. False: none does, or none that can be seen from here. */
bool freezer_frozen(pid_t pid, char *ret_group, size_t size);

#endif
