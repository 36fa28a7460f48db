/* SPDX-License-Identifier: MIT */
/*
 * memory_group: how much memory the control groups of a process leave it. Where
 * it is used up the kernel ends the process, whoever asked for it.
 */
#ifndef NOPDB_INJECTOR_MEMORY_GROUP_H
#define NOPDB_INJECTOR_MEMORY_GROUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "injector/target/control_group.h"

/* Bytes left below the nearest limit, of the process's group or of one above,
 * with what the kernel would reclaim first (the cache of files). UINT64_MAX:
 * there is no limit, or none that can be seen from here. */
uint64_t memory_group_left(pid_t pid, char *ret_group, size_t size);

/* The same of the texts of a group's files: its limit, its use, memory.stat,
 * with the prefix that version 1 has for a group and all below ("total_"). */
uint64_t memory_group_count(const char *limit, const char *use,
			    const char *stat, const char *prefix);

#endif
