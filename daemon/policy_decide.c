/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "daemon/policy.h"
#include "proto/glob.h"

/* What cannot be known for sure must not open a door: a rule that may hold
 * takes away what it does not grant, and the search goes on. */
enum holds { HOLDS_NOT, HOLDS_MAYBE, HOLDS };

static bool has(const struct policy_ids *ids, uint32_t id)
{
	for (unsigned i = 0; i < ids->count; i++) {
		if (ids->list[i] == id)
			return true;
	}
	return false;
}

static enum holds user_holds(const struct policy_rule *rule,
			     const struct policy_client *client)
{
	if (!rule->users.given || has(&rule->users, client->uid))
		return HOLDS;
	return HOLDS_NOT;
}

static enum holds group_holds(const struct policy_rule *rule,
			      const struct policy_client *client)
{
	if (!rule->groups.given || has(&rule->groups, client->gid))
		return HOLDS;
	for (unsigned i = 0; i < client->group_count; i++) {
		if (has(&rule->groups, client->groups[i]))
			return HOLDS;
	}
	return HOLDS_NOT;
}

/* A process that changed its user in part is a bit of both. */
static enum holds owner_holds(const struct policy_rule *rule,
			      const struct policy_client *client,
			      const struct policy_process *process)
{
	unsigned found = 0;

	if (!rule->owners.given)
		return HOLDS;
	for (unsigned i = 0; i < 3; i++)
		found +=
			(rule->owners.self && process->uid[i] == client->uid) ||
			has(&rule->owners, process->uid[i]);
	if (found == 3)
		return HOLDS;
	return found ? HOLDS_MAYBE : HOLDS_NOT;
}

static enum holds program_holds(const struct policy_rule *rule,
				const struct policy_process *process)
{
	const struct policy_patterns *programs = &rule->programs;

	if (!programs->given)
		return HOLDS;
	if (!process->program_proven)
		return HOLDS_MAYBE;
	for (unsigned i = 0; i < programs->count; i++) {
		if (glob_match_path(programs->list[i], process->program))
			return HOLDS;
	}
	return HOLDS_NOT;
}

void policy_unit(const char *cgroup, char *buf, size_t size)
{
	static const char slice[] = ".slice";
	const size_t tail = sizeof(slice) - 1;

	*buf = '\0';
	while (*cgroup) {
		size_t length = strcspn(cgroup, "/");

		if (length && (length < tail ||
			       memcmp(cgroup + length - tail, slice, tail))) {
			if (length < size)
				snprintf(buf, size, "%.*s", (int)length,
					 cgroup);
			return;
		}
		cgroup += length + (cgroup[length] == '/');
	}
}

static enum holds unit_holds(const struct policy_rule *rule,
			     const struct policy_process *process)
{
	const struct policy_patterns *units = &rule->units;
	char unit[POLICY_PATTERN_MAX];

	if (!units->given)
		return HOLDS;
	if (!process->cgroup[0])
		return HOLDS_MAYBE;
	policy_unit(process->cgroup, unit, sizeof(unit));
	for (unsigned i = 0; i < units->count; i++) {
		if (unit[0] && glob_match(units->list[i], unit))
			return HOLDS;
	}
	return HOLDS_NOT;
}

/* The group itself or one above it. */
static bool in_group(const char *pattern, const char *cgroup)
{
	char path[POLICY_PATTERN_MAX];
	char *slash;

	if ((size_t)snprintf(path, sizeof(path), "%s", cgroup) >= sizeof(path))
		return false;
	for (;;) {
		if (glob_match_path(pattern, path))
			return true;
		slash = strrchr(path, '/');
		if (!slash || slash == path)
			return glob_match_path(pattern, "/");
		*slash = '\0';
	}
}

static enum holds cgroup_holds(const struct policy_rule *rule,
			       const struct policy_process *process)
{
	const struct policy_patterns *cgroups = &rule->cgroups;

	if (!cgroups->given)
		return HOLDS;
	if (!process->cgroup[0] ||
	    strlen(process->cgroup) >= POLICY_PATTERN_MAX)
		return HOLDS_MAYBE;
	for (unsigned i = 0; i < cgroups->count; i++) {
		if (in_group(cgroups->list[i], process->cgroup))
			return HOLDS;
	}
	return HOLDS_NOT;
}

static enum holds rule_holds(const struct policy_rule *rule,
			     const struct policy_client *client,
			     const struct policy_process *process)
{
	const enum holds parts[] = {
		user_holds(rule, client),
		group_holds(rule, client),
		owner_holds(rule, client, process),
		program_holds(rule, process),
		unit_holds(rule, process),
		cgroup_holds(rule, process),
	};
	enum holds least = HOLDS;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i] < least)
			least = parts[i];
	}
	return least;
}

struct decision policy_decide(const struct policy *policy,
			      const struct policy_client *client,
			      const struct policy_process *process)
{
	struct decision decision = { RIGHTS_ALL, -1, -1 };

	for (unsigned i = 0; i < policy->count; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		enum holds holds = rule_holds(rule, client, process);

		if (holds == HOLDS_NOT)
			continue;
		if (holds == HOLDS_MAYBE && rule->rights != RIGHTS_ALL &&
		    decision.doubtful < 0)
			decision.doubtful = (int)i;
		decision.rights &= rule->rights;
		if (holds == HOLDS) {
			decision.rule = (int)i;
			return decision;
		}
	}
	decision.rights = RIGHTS_NONE;
	return decision;
}
