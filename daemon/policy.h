/* SPDX-License-Identifier: MIT */
/*
 * policy: who may do what with which process, as a file says it. Pure: text
 * in, rules out, and decisions out of rules; neither reads a file nor looks at
 * a process. The kernel's answer comes on top: a policy only narrows it.
 *
 * {"version": 1, "yama": "kernel" or "own", "rules": [RULE...]}, where RULE is
 * {"name", "user", "group", "process": {"owner", "program", "unit", "cgroup"},
 * "rights": [NAME...]}. All conditions of a rule must hold; the first rule
 * whose conditions hold decides; where none does, nothing is granted.
 * proto/policy.schema.json describes it, nopdbd(8) explains it.
 */
#ifndef NOPDB_DAEMON_POLICY_H
#define NOPDB_DAEMON_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "daemon/rights.h"
#include "proto/error.h"

#define POLICY_TEXT_MAX (256u << 10)
#define POLICY_RULES_MAX 256
#define POLICY_ITEMS_MAX 64 /* names in one condition */
#define POLICY_NAME_MAX 64  /* bytes of a rule's name, with the NUL */
#define POLICY_PATTERN_MAX 1024

struct policy_ids {
	bool given;
	bool self; /* owner: "self" */
	unsigned count;
	uint32_t *list; /* owned */
};

struct policy_patterns {
	bool given;
	unsigned count;
	const char **list; /* owned; the texts are the policy's */
};

struct policy_rule {
	char name[POLICY_NAME_MAX];
	struct policy_ids users, groups, owners;
	struct policy_patterns programs, units, cgroups;
	uint32_t rights;
};

struct policy {
	cJSON *root;   /* owned */
	bool yama_own; /* own processes in spite of Yama's scope 1 */
	unsigned count;
	struct policy_rule *rules; /* owned */
};

/* What a system daemon does without a file. */
extern const char policy_default_text[];

/* Finds the id of a user (or group); false when there is none. */
struct policy_names {
	bool (*user)(const char *name, uint32_t *ret_id);
	bool (*group)(const char *name, uint32_t *ret_id);
};

/* Fails with USAGE (or NO_MEMORY): the message names the key and the reason. */
int policy_parse(const char *text, size_t length,
		 const struct policy_names *names, struct policy *ret_policy,
		 struct error *err) NOPDB_CHECKED;
void policy_release(struct policy *policy);

/* ---- deciding
 * -------------------------------------------------------------------- */

struct policy_client {
	uid_t uid;
	gid_t gid;
	unsigned group_count;
	const gid_t *groups;
};

struct policy_process {
	uid_t uid[3];	     /* real, effective, saved */
	const char *program; /* "" unknown */
	/* The path is that of the very file that runs, in our own view. */
	bool program_proven;
	const char *cgroup; /* "" unknown */
};

struct decision {
	uint32_t rights;
	int rule; /* -1: none */
	/* A rule before it may hold as well; its rights were intersected. */
	int doubtful; /* -1: none */
};

struct decision policy_decide(const struct policy *policy,
			      const struct policy_client *client,
			      const struct policy_process *process);

/* The unit of a control group's path: its first part that is no slice. */
void policy_unit(const char *cgroup, char *buf, size_t size);

#endif
