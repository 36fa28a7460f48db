/* SPDX-License-Identifier: MIT */
/* Policy files: whatever they say, they are taken or refused with a reason, and
 * what is not known for sure about a process never grants more than anything
 * that could be true. */
#include <stdint.h>
#include <string.h>

#include "daemon/policy.h"
#include "tests/fuzz/fuzz.h"

/* Every name is somebody's, so that rules are not refused for that. */
static bool some_id(const char *name, uint32_t *ret_id)
{
	*ret_id = (uint32_t)strlen(name) % 4;
	return name[0] != '!';
}

static const struct policy_names names = { some_id, some_id };

static uint32_t decide(const struct policy *policy, uid_t uid,
		       const struct policy_process *process)
{
	static const gid_t groups[] = { 1, 2 };
	const struct policy_client client = { uid, uid, 2, groups };
	struct decision decision = policy_decide(policy, &client, process);

	fuzz_check(!(decision.rights & ~(uint32_t)RIGHTS_ALL));
	fuzz_check(decision.rule >= -1 && decision.rule < (int)policy->count);
	fuzz_check(decision.doubtful >= -1 &&
		   decision.doubtful < (int)policy->count);
	fuzz_check(decision.rule >= 0 || !decision.rights);
	if (decision.rule >= 0)
		fuzz_check(!(decision.rights &
			     ~policy->rules[decision.rule].rights));
	return decision.rights;
}

static void check_program(const struct policy *policy, uid_t uid,
			  const char *program)
{
	struct policy_process process = {
		.uid = { 1, 1, 1 },
		.program = program,
		.cgroup = "/system.slice/web.service/x",
	};
	uint32_t unproven = decide(policy, uid, &process);

	process.program_proven = true;
	fuzz_check(!(unproven & ~decide(policy, uid, &process)));
}

static void check_cgroup(const struct policy *policy, uid_t uid,
			 const char *cgroup)
{
	struct policy_process process = {
		.uid = { 1, 1, 1 },
		.program = "/usr/bin/python3",
		.program_proven = true,
		.cgroup = "",
	};
	uint32_t unknown = decide(policy, uid, &process);

	process.cgroup = cgroup;
	fuzz_check(!(unknown & ~decide(policy, uid, &process)));
}

static void check(const struct policy *policy)
{
	static const char *const programs[] = { "/usr/bin/python3", "/a", "/" };
	static const char *const cgroups[] = { "/", "/a.slice/b.service/c",
					       "/x" };

	for (uid_t uid = 0; uid < 4; uid++) {
		for (size_t i = 0; i < 3; i++) {
			check_program(policy, uid, programs[i]);
			check_cgroup(policy, uid, cgroups[i]);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct policy policy;

	memset(&policy, 0, sizeof(policy));
	if (policy_parse((const char *)data, size, &names, &policy, &err)) {
		fuzz_check(err.code == ERROR_USAGE && err.msg[0] &&
			   err.remedy[0]);
		fuzz_check(!policy.root && !policy.rules);
		return 0;
	}
	fuzz_check(policy.count <= POLICY_RULES_MAX);
	check(&policy);
	policy_release(&policy);
	return 0;
}
