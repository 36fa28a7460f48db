/* SPDX-License-Identifier: MIT */
#include "daemon/policy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_SPACE (64u << 10)

/* ---- names
 * --------------------------------------------------------------------- */

static bool user_id(const char *name, uint32_t *ret_id)
{
	struct passwd passwd, *found = NULL;
	char *space = malloc(NAMES_SPACE);

	if (space && !getpwnam_r(name, &passwd, space, NAMES_SPACE, &found) &&
	    found)
		*ret_id = found->pw_uid;
	free(space);
	return found != NULL;
}

static bool group_id(const char *name, uint32_t *ret_id)
{
	struct group group, *found = NULL;
	char *space = malloc(NAMES_SPACE);

	if (space && !getgrnam_r(name, &group, space, NAMES_SPACE, &found) &&
	    found)
		*ret_id = found->gr_gid;
	free(space);
	return found != NULL;
}

static const struct policy_names system_names = { user_id, group_id };

/* ---- whose file it is
 * ----------------------------------------------------------- */

static int distrust(const char *path, const char *why, const char *remedy,
		    struct error *err)
{
	error_set(err, ERROR_NOT_PERMITTED, "policy %.100s: %s", path, why);
	return error_remedy(err, remedy, path);
}

static int check_owner(const char *path, const struct stat *st,
		       struct error *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return distrust(path, "it belongs to another user",
				"chown root %.120s", err);
	/* In a sticky directory nobody replaces what is not theirs. */
	if (!(st->st_mode & (S_IWGRP | S_IWOTH)) ||
	    (S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return 0;
	return distrust(path, "others may write to it", "chmod go-w %.120s",
			err);
}

/* Who may write to a folder above it may put another file there. */
static int check_folders(const char *path, struct error *err)
{
	char folder[PATH_MAX];
	struct stat st;
	char *slash;

	if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >=
	    sizeof(folder))
		return error_set(err, ERROR_USAGE,
				 "policy %.60s...: the path is too long", path);
	while ((slash = strrchr(folder, '/'))) {
		slash[slash == folder] = '\0';
		if (stat(folder, &st))
			return error_set_errno(err, ERROR_SYSTEM, errno,
					       "policy: folder %.100s", folder);
		if (check_owner(folder, &st, err))
			return -1;
		if (slash == folder)
			break;
	}
	return 0;
}

static int check_file(const char *path, int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "policy %.100s", path);
	if (!S_ISREG(st.st_mode))
		return distrust(path, "not a regular file",
				"write a file to %.120s", err);
	return check_owner(path, &st, err);
}

static int cannot_open(const char *path, int error, struct error *err)
{
	if (error == ELOOP)
		return distrust(path, "a symbolic link",
				"name the file itself, not %.120s", err);
	error_set_errno(err, ERROR_SYSTEM, error, "policy %.100s", path);
	return error_remedy(err, "write one (nopdbd(8), POLICY), or start "
				 "without --policy");
}

/* ---- reading
 * -------------------------------------------------------------------- */

/* One byte more than may be there is enough to tell that it is too much. */
static char *read_all(int fd, size_t *ret_length)
{
	char *text = malloc(POLICY_TEXT_MAX + 1);
	size_t length = 0;
	ssize_t got = 1;

	while (text && got > 0 && length <= POLICY_TEXT_MAX) {
		got = read(fd, text + length, POLICY_TEXT_MAX + 1 - length);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			length += (size_t)got;
	}
	if (text && got < 0) {
		free(text);
		text = NULL;
	}
	*ret_length = length;
	return text;
}

static int load(const char *path, int fd, struct policy *ret_policy,
		struct error *err)
{
	size_t length;
	char *text;
	int failed;

	if (check_folders(path, err) || check_file(path, fd, err))
		return -1;
	text = read_all(fd, &length);
	if (!text)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "policy %.100s", path);
	failed = policy_parse(text, length, &system_names, ret_policy, err);
	free(text);
	return failed ? error_wrap(err, "policy %.60s", path) : 0;
}

int policy_file_load(const char *path, struct policy *ret_policy,
		     struct error *err)
{
	/* Neither waits for a writer of a FIFO nor takes a terminal. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				    O_NOCTTY);
	int failed;

	if (fd < 0)
		return cannot_open(path, errno, err);
	failed = load(path, fd, ret_policy, err);
	close(fd);
	return failed;
}

int policy_load_default(struct policy *ret_policy, struct error *err)
{
	return policy_parse(policy_default_text, strlen(policy_default_text),
			    &system_names, ret_policy, err);
}
