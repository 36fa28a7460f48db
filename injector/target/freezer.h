/* SPDX-License-Identifier: MIT */
/*
 * freezer: has the control group of a process frozen it? A frozen process
 * shows as asleep, but runs no instruction until it is thawed. Both versions
 * of control groups are looked at, where they are mounted; cgroups(7),
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/freezer-subsystem.rst.
 */
#ifndef NOPDB_INJECTOR_FREEZER_H
#define NOPDB_INJECTOR_FREEZER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FREEZER_PATH 512

enum freezer_version { FREEZER_V1, FREEZER_V2 };

/* The path of the group that freezes the process, below the mount of its
 * hierarchy. False: none does, or none that can be seen from here. */
bool freezer_frozen(pid_t pid, char *ret_group, size_t size);

/* Of the text of /proc/PID/cgroup, the path of the process's group in the
 * hierarchy that can freeze it. False: it is in none. */
bool freezer_parse_group(const char *text, enum freezer_version version,
			 char *ret_group, size_t size);

/* Of the text of /proc/self/mountinfo, where that hierarchy is mounted, and
 * which group is shown there. Both hold FREEZER_PATH bytes. */
bool freezer_parse_mount(const char *text, enum freezer_version version,
			 char *ret_point, char *ret_root);

/* The folder of a group: its path with the mount's root taken off, below the
 * mount point. False when the group does not lie below the root. */
bool freezer_folder(const char *group, const char *point, const char *root,
		    char *ret_folder, size_t size);

#endif
