/* SPDX-License-Identifier: MIT */
#include "daemon/house.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/audit.h"
#include "daemon/daemon.h"
#include "daemon/gate.h"
#include "daemon/log.h"
#include "daemon/permission.h"

/* libuv's threads for short jobs, 4 by default: one user's slow questions must
 * not keep those of others waiting. */
#define WORKERS "16"

/* The daemon changes its directory, and reads the file again later. */
static int name_policy(const char *given, char path[PATH_MAX],
		       struct error *err)
{
	char cwd[PATH_MAX] = "";

	if (given[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return error_set_errno(err, ERROR_SYSTEM, errno, "getcwd");
	if ((size_t)snprintf(path, PATH_MAX, "%s%s%s", cwd, cwd[0] ? "/" : "",
			     given) < PATH_MAX)
		return 0;
	return error_set(err, ERROR_USAGE, "--policy %.60s...: too long",
			 given);
}

/* With a policy root serves everybody; without privileges one serves oneself,
 * within it. */
static int open_policy(const struct config *config, struct house *house,
		       struct error *err)
{
	static char path[PATH_MAX];

	house->shared = config->system || (config->policy && geteuid() == 0);
	if (house->shared && !permission_possible()) {
		error_set(
			err, ERROR_NOT_PERMITTED,
			"to serve every user takes CAP_SETUID and CAP_SETGID: "
			"the kernel is asked as each of them");
		return error_remedy(err, "start it as root, with both");
	}
	if (config->policy) {
		if (name_policy(config->policy, path, err))
			return -1;
		house->policy_path = path;
	}
	if (!house->shared && !config->policy)
		return 0;
	return rulebook_load(house->policy_path, &house->book, err);
}

static int open_audit(const struct config *config, struct house *house,
		      struct error *err)
{
	const char *where = config->audit;

	if (!where)
		where = house->shared ? "syslog" : "none";
	return audit_sink_open(&house->audit, where, config->audit_bytes, err);
}

int house_open(struct house *house, const struct config *config,
	       struct error *err)
{
	*house = (struct house){ .book = NULL };
	if (open_policy(config, house, err))
		return -1;
	if (open_audit(config, house, err)) {
		rulebook_drop(house->book);
		return -1;
	}
	if (house->shared)
		setenv("UV_THREADPOOL_SIZE", WORKERS, 0);
	if (house->book)
		log_line("policy: %s", house->book->source);
	return 0;
}

static void reload_policy(struct daemon *daemon)
{
	struct house *house = &daemon->house;
	struct error err = ERROR_INIT;
	struct rulebook *book;

	if (rulebook_load(house->policy_path, &book, &err)) {
		log_line("policy not read again: %s; the old one stays",
			 err.msg);
		audit_policy(daemon, &err);
		return;
	}
	rulebook_drop(house->book);
	house->book = book;
	log_line("policy read again: %s", book->source);
	audit_policy(daemon, NULL);
	gate_policy_changed(daemon);
}

bool house_reload(struct daemon *daemon)
{
	struct house *house = &daemon->house;
	struct error err = ERROR_INIT;

	if (!house->book && house->audit.kind == AUDIT_NONE)
		return false;
	if (audit_sink_reopen(&house->audit, &err))
		log_line("audit: %s; the old file stays", err.msg);
	if (house->book)
		reload_policy(daemon);
	return true;
}

void house_close(struct house *house)
{
	audit_sink_close(&house->audit);
	rulebook_drop(house->book);
	house->book = NULL;
}
