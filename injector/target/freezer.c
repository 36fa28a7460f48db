/* SPDX-License-Identifier: MIT */
#include "injector/target/freezer.h"

#include <stdio.h>
#include <string.h>

#include "injector/owned.h"
#include "injector/target/control_group.h"

static bool file_says(const struct control_group *group, const char *name,
		      const char *what)
{
	char text[256];

	return control_group_read(group, name, text, sizeof(text)) &&
	       strstr(text, what);
}

/* A group counts as frozen only once all in it are; that it is to be is said
 * further up. */
static bool frozen_by_v2(pid_t pid, const char *mounts,
			 struct control_group *group)
{
	if (!control_group_find(pid, mounts, NULL, group))
		return false;
	if (file_says(group, "cgroup.events", "frozen 1"))
		return true;
	do
		if (file_says(group, "cgroup.freeze", "1"))
			return true;
	while (control_group_up(group));
	return false;
}

/* Version 1 passes the state down by itself. */
static bool frozen_by_v1(pid_t pid, const char *mounts,
			 struct control_group *group)
{
	return control_group_find(pid, mounts, "freezer", group) &&
	       file_says(group, "freezer.state", "FR");
}

bool freezer_frozen(pid_t pid, char *ret_group, size_t size)
{
	struct control_group group;
	owned_mem char *mounts = control_group_mounts();

	if (!mounts || (!frozen_by_v2(pid, mounts, &group) &&
			!frozen_by_v1(pid, mounts, &group)))
		return false;
	snprintf(ret_group, size, "%s", group.path);
	return true;
}
