/* SPDX-License-Identifier: MIT */
/*
 * control_group: the group that a process is in, in one hierarchy, and its
 * files. Both versions are known, where they are mounted; cgroups(7),
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/cgroups.rst.
 *
 * A controller is "freezer", "memory" ...: its hierarchy of version 1. NULL:
 * the one hierarchy of version 2.
 */
#ifndef NOPDB_INJECTOR_CONTROL_GROUP_H
#define NOPDB_INJECTOR_CONTROL_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONTROL_GROUP_PATH 512

struct control_group {
	char path[CONTROL_GROUP_PATH];	     /* in its hierarchy */
	char folder[CONTROL_GROUP_PATH * 2]; /* where its files are */
	size_t point; /* length of the mount point, a part of folder */
};

/* The text of our mountinfo, on the heap; NULL with errno. */
char *control_group_mounts(void);

/* The group of a process. False: it is in none, or in none that can be seen
 * from here. */
bool control_group_find(pid_t pid, const char *mounts, const char *controller,
			struct control_group *ret_group);

/* The folder of the group above; false at the mount point. */
bool control_group_up(struct control_group *group);

/* The text of one of its files, as much as fits; false when there is none. */
bool control_group_read(const struct control_group *group, const char *name,
			char *ret_text, size_t size);

/* Of the text of /proc/PID/cgroup, the path of the process's group. */
bool control_group_parse_path(const char *text, const char *controller,
			      char *ret_path, size_t size);

/* Of the text of mountinfo, where a hierarchy is mounted, and which group is
 * shown there. Both hold CONTROL_GROUP_PATH bytes. */
bool control_group_parse_mount(const char *text, const char *controller,
			       char *ret_point, char *ret_root);

/* The folder of a group: its path with the mount's root taken off, below the
 * mount point. False when the group does not lie below the root. */
bool control_group_folder(const char *path, const char *point, const char *root,
			  char *ret_folder, size_t size);

#endif
