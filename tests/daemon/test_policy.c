/* SPDX-License-Identifier: MIT */
/* policy, rights: what a policy may say, and what follows from it. */
#include "daemon/policy.h"

#include <stdio.h>
#include <string.h>

#include "tests/daemon/suite.h"

#define ALICE 1001
#define BOB 1002
#define ONCALL 2001

static struct policy policy;
static struct error err;

static bool user_id(const char *name, uint32_t *ret_id)
{
	if (!strcmp(name, "alice"))
		*ret_id = ALICE;
	else if (!strcmp(name, "bob"))
		*ret_id = BOB;
	else
		return false;
	return true;
}

static bool group_id(const char *name, uint32_t *ret_id)
{
	*ret_id = ONCALL;
	return !strcmp(name, "oncall");
}

static const struct policy_names names = { user_id, group_id };

static void setup(void)
{
	memset(&policy, 0, sizeof(policy));
	error_clear(&err);
}

static void teardown(void)
{
	policy_release(&policy);
}

static int parse(const char *text)
{
	return policy_parse(text, strlen(text), &names, &policy, &err);
}

/* Takes a policy of these rules. */
static void take(const char *rules)
{
	char text[2048];

	policy_release(&policy);
	snprintf(text, sizeof(text), "{\"version\": 1, \"rules\": [%s]}",
		 rules);
	ck_assert_msg(!parse(text), "%s", err.msg);
}

static struct policy_process process_of(uid_t uid)
{
	return (struct policy_process){
		.uid = { uid, uid, uid },
		.program = "/usr/bin/python3.11",
		.program_proven = true,
		.cgroup = "/system.slice/web.service",
	};
}

static struct decision decide(uid_t client, const struct policy_process *whom)
{
	static const gid_t groups[] = { 4000, ONCALL };
	const struct policy_client who = {
		client,
		client,
		client == ALICE ? 2 : 0,
		groups,
	};

	return policy_decide(&policy, &who, whom);
}

static uint32_t rights(uid_t client, uid_t owner)
{
	const struct policy_process whom = process_of(owner);

	return decide(client, &whom).rights;
}

/* ---- the default
 * ------------------------------------------------------------------- */

START_TEST(the_default_is_own_processes)
{
	ck_assert_int_eq(parse(policy_default_text), 0);
	ck_assert_uint_eq(rights(ALICE, ALICE), RIGHTS_ALL);
	ck_assert_uint_eq(rights(ALICE, BOB), RIGHTS_NONE);
	ck_assert_uint_eq(rights(ALICE, 0), RIGHTS_NONE);
	ck_assert_uint_eq(rights(0, 0), RIGHTS_ALL);
	/* No code and no stopped thread in what is another's. */
	ck_assert_uint_eq(rights(0, ALICE),
			  RIGHT_SEE | RIGHT_STACK | RIGHT_CAPTURE | RIGHT_EVAL);
}
END_TEST

START_TEST(a_process_of_mixed_users_is_nobody_s_own)
{
	struct policy_process whom = process_of(ALICE);

	ck_assert_int_eq(parse(policy_default_text), 0);
	whom.uid[1] = 0;
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
	whom = process_of(ALICE);
	whom.uid[2] = 0;
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
}
END_TEST

START_TEST(no_rule_grants_nothing)
{
	take("");
	ck_assert_uint_eq(rights(ALICE, ALICE), RIGHTS_NONE);
	ck_assert_uint_eq(rights(0, 0), RIGHTS_NONE);
}
END_TEST

/* ---- rules
 * -------------------------------------------------------------------------- */

START_TEST(the_first_rule_that_holds_decides)
{
	const struct policy_process whom = process_of(ALICE);
	struct decision decision;

	take("{\"user\": \"bob\", \"rights\": [\"exec\"]},"
	     "{\"name\": \"mine\", \"user\": [\"alice\", 7], \"rights\": "
	     "[\"see\"]},"
	     "{\"rights\": [\"see\", \"stack\"]}");
	decision = decide(ALICE, &whom);
	ck_assert_int_eq(decision.rule, 1);
	ck_assert_uint_eq(decision.rights, RIGHT_SEE);
	ck_assert_str_eq(policy.rules[1].name, "mine");
	ck_assert_str_eq(policy.rules[2].name, "rule 3");
	ck_assert_uint_eq(rights(BOB, ALICE), RIGHT_EXEC);
	ck_assert_uint_eq(rights(7, ALICE), RIGHT_SEE);
	ck_assert_uint_eq(rights(8, ALICE), RIGHT_SEE | RIGHT_STACK);
}
END_TEST

START_TEST(groups_count_first_and_supplementary)
{
	take("{\"group\": \"oncall\", \"rights\": [\"see\"]}");
	ck_assert_uint_eq(rights(ALICE, BOB), RIGHT_SEE);
	ck_assert_uint_eq(rights(BOB, BOB), RIGHTS_NONE);
	take("{\"group\": [1002], \"rights\": [\"see\"]}");
	ck_assert_uint_eq(rights(BOB, BOB), RIGHT_SEE);
}
END_TEST

START_TEST(all_conditions_must_hold)
{
	take("{\"user\": \"alice\", \"group\": \"oncall\", \"process\": "
	     "{\"owner\": [\"bob\", \"self\"], \"unit\": \"web*\"}, "
	     "\"rights\": [\"capture\"]}");
	ck_assert_uint_eq(rights(ALICE, ALICE), RIGHT_CAPTURE);
	ck_assert_uint_eq(rights(ALICE, BOB), RIGHT_CAPTURE);
	ck_assert_uint_eq(rights(ALICE, 0), RIGHTS_NONE);
	ck_assert_uint_eq(rights(BOB, BOB), RIGHTS_NONE);
	policy.rules[0].units.list[0] = "db*";
	ck_assert_uint_eq(rights(ALICE, ALICE), RIGHTS_NONE);
}
END_TEST

START_TEST(programs_match_by_path)
{
	struct policy_process whom = process_of(ALICE);

	take("{\"process\": {\"program\": [\"/opt/*/bin/python\", "
	     "\"/usr/bin/python3*\"]}, \"rights\": [\"see\"]}");
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHT_SEE);
	whom.program = "/opt/app/bin/python";
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHT_SEE);
	whom.program = "/opt/app/deep/bin/python";
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
	whom.program = "/home/alice/usr/bin/python3";
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
}
END_TEST

/* A path that could be a lie opens nothing, and closes what the rule closes. */
START_TEST(an_unproven_path_only_narrows)
{
	struct policy_process whom = process_of(ALICE);
	struct decision decision;

	whom.program_proven = false;
	take("{\"process\": {\"program\": \"/usr/bin/python3*\"}, \"rights\": "
	     "[\"see\"]}, {\"rights\": [\"see\", \"stack\"]}");
	decision = decide(ALICE, &whom);
	ck_assert_uint_eq(decision.rights, RIGHT_SEE);
	ck_assert_int_eq(decision.rule, 1);
	ck_assert_int_eq(decision.doubtful, 0);
	take("{\"process\": {\"program\": \"/usr/bin/python3*\"}, \"rights\": "
	     "[\"see\"]}");
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
	take("{\"process\": {\"program\": \"/x\"}, \"rights\": []},"
	     "{\"rights\": [\"see\"]}");
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
	whom.program_proven = true;
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHT_SEE);
}
END_TEST

START_TEST(an_owner_in_part_only_narrows)
{
	struct policy_process whom = process_of(BOB);

	whom.uid[2] = 0;
	take("{\"process\": {\"owner\": \"bob\"}, \"rights\": []},"
	     "{\"rights\": [\"see\"]}");
	ck_assert_uint_eq(decide(0, &whom).rights, RIGHTS_NONE);
	ck_assert_uint_eq(rights(0, ALICE), RIGHT_SEE);
}
END_TEST

START_TEST(units_are_found_in_control_groups)
{
	static const struct {
		const char *cgroup, *unit;
	} cases[] = {
		{ "/", "" },
		{ "", "" },
		{ "/system.slice/web.service", "web.service" },
		{ "/system.slice/web.service/worker", "web.service" },
		{ "/system.slice/system-db.slice/db@1.service",
		  "db@1.service" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/"
		  "mine.service",
		  "user@1000.service" },
		{ "/user.slice/user-1000.slice/session-2.scope",
		  "session-2.scope" },
		{ "/.slice/x", "x" },
		{ "//a.slice//b", "b" },
		{ "/docker/0123", "docker" },
	};
	char unit[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		policy_unit(cases[i].cgroup, unit, sizeof(unit));
		ck_assert_str_eq(unit, cases[i].unit);
	}
}
END_TEST

START_TEST(control_groups_hold_those_below)
{
	struct policy_process whom = process_of(ALICE);

	take("{\"process\": {\"cgroup\": \"/kubepods/pod*\"}, \"rights\": "
	     "[\"see\"]}");
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
	whom.cgroup = "/kubepods/pod12/main/x";
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHT_SEE);
	whom.cgroup = "/kubepods";
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
	whom.cgroup = "/x/kubepods/pod12";
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
	/* Unknown: as with a path. */
	whom.cgroup = "";
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHTS_NONE);
	take("{\"process\": {\"cgroup\": \"/\"}, \"rights\": [\"see\"]}");
	whom.cgroup = "/a/b";
	ck_assert_uint_eq(decide(ALICE, &whom).rights, RIGHT_SEE);
}
END_TEST

/* ---- what is refused
 * ----------------------------------------------------------------- */

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "", "not JSON" },
	{ "[]", "not JSON" },
	{ "{\"version\": 1, \"rules\": [],}", "not JSON" },
	{ "{\n\"version\": 1,\n\"rules\": [tru]}", "line 3: not JSON" },
	{ "{\"rules\": []}", "version: it is missing" },
	{ "{\"version\": 2, \"rules\": []}", "version: only 1" },
	{ "{\"version\": 1}", "rules: not a list" },
	{ "{\"version\": 1, \"rules\": {}}", "rules: not a list" },
	{ "{\"version\": 1, \"rules\": [], \"rule\": 1}", "no key 'rule'" },
	{ "{\"version\": 1, \"version\": 1, \"rules\": []}",
	  "version: it is there twice" },
	{ "{\"version\": 1, \"yama\": \"off\", \"rules\": []}",
	  "yama: neither" },
	{ "{\"version\": 1, \"rules\": [3]}", "rules[0]: not an" },
	{ "{\"version\": 1, \"rules\": [{}]}",
	  "rules[0].rights: it is missing" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": \"see\"}]}",
	  "rules[0].rights: not a list" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": []}, {\"rights\": "
	  "[\"see\", \"execute\"]}]}",
	  "rules[1].rights[1]: no right 'execute'" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"users\": "
	  "1}]}",
	  "rules[0]: no key 'users'" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"user\": "
	  "\"carol\"}]}",
	  "rules[0].user: no user 'carol'" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"user\": "
	  "[1, \"carol\"]}]}",
	  "rules[0].user[1]: no user 'carol'" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"user\": "
	  "4294967295}]}",
	  "rules[0].user: not a user" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"user\": "
	  "-1}]}",
	  "rules[0].user: not a user" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"user\": "
	  "1.5}]}",
	  "rules[0].user: not a user" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"user\": "
	  "[]}]}",
	  "rules[0].user: 0 items" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"group\": "
	  "\"wheel\"}]}",
	  "rules[0].group: no group 'wheel'" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"name\": "
	  "\"\"}]}",
	  "rules[0].name: not a text" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"process\": "
	  "7}]}",
	  "rules[0].process: not an object" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"process\": "
	  "{\"path\": \"/x\"}}]}",
	  "rules[0].process: no key 'path'" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"process\": "
	  "{\"program\": \"python\"}}]}",
	  "rules[0].process.program: 'python' is not an absolute" },
	{ "{\"version\": 1, \"rules\": [{\"rights\": [], \"process\": "
	  "{\"unit\": [\"a\", 4]}}]}",
	  "rules[0].process.unit[1]: not a text" },
};
START_TEST(what_is_wrong_is_named)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		error_clear(&err);
		ck_assert_msg(parse(wrong[i].text) == -1, "taken: %s",
			      wrong[i].text);
		ck_assert_int_eq(err.code, ERROR_USAGE);
		ck_assert_msg(strstr(err.msg, wrong[i].message) != NULL,
			      "'%s' does not say '%s'", err.msg,
			      wrong[i].message);
		ck_assert_msg(err.remedy[0], "%s: no remedy", err.msg);
	}
}
END_TEST

START_TEST(lines_and_escapes_are_fine)
{
	ck_assert_int_eq(parse("{\r\n\t\"version\": 1,\n \"rules\": [\n{"
			       "\"name\": \"a \\\" \\u00e9\",\n\"rights\": "
			       "[\"see\"\n]}\n]\n}\n\n"),
			 0);
	ck_assert_str_eq(policy.rules[0].name, "a \" \xc3\xa9");
	ck_assert_int_eq(parse("{\"version\": 1, \"rules\": [{\"name\": \"a\nb"
			       "\", \"rights\": []}]}"),
			 -1);
}
END_TEST

START_TEST(too_much_is_refused)
{
	static char text[POLICY_TEXT_MAX + 2];
	size_t used;

	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, "{\"version\": 1, \"rules\": []}", 27);
	ck_assert_int_eq(parse(text), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "longer than"));
	text[POLICY_TEXT_MAX] = '\0';
	ck_assert_int_eq(parse(text), 0);
	policy_release(&policy);
	used = (size_t)snprintf(
		text, sizeof(text),
		"{\"version\": 1, \"rules\": [{\"rights\": []}");
	for (int i = 0; i < POLICY_RULES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 ",{\"rights\": []}");
	snprintf(text + used, sizeof(text) - used, "]}");
	ck_assert_int_eq(parse(text), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "more than 256 rules"));
}
END_TEST

/* ---- rights
 * -------------------------------------------------------------------------- */

static uint32_t of_params(const char *text)
{
	cJSON *params = cJSON_Parse(text);
	uint32_t found = rights_of_params(params);

	ck_assert_ptr_nonnull(params);
	cJSON_Delete(params);
	return found;
}

START_TEST(requests_take_rights)
{
	ck_assert_uint_eq(of_params("{\"where\": \"a:b\"}"), RIGHTS_NONE);
	ck_assert_uint_eq(of_params("{\"if\": \"x\"}"), RIGHT_EVAL);
	ck_assert_uint_eq(of_params("{\"once_per\": \"x\"}"), RIGHT_EVAL);
	ck_assert_uint_eq(of_params("{\"callable\": \"x\"}"), RIGHT_EVAL);
	ck_assert_uint_eq(of_params("{\"limits\": {\"repr\": true}}"),
			  RIGHT_EVAL);
	ck_assert_uint_eq(of_params("{\"limits\": {\"repr\": false}}"),
			  RIGHTS_NONE);
	ck_assert_uint_eq(of_params("{\"locals\": true}"), RIGHT_CAPTURE);
	ck_assert_uint_eq(of_params("{\"actions\": [{\"eval\": \"1\"}, "
				    "{\"stack\": true}]}"),
			  RIGHT_EVAL | RIGHT_CAPTURE);
	ck_assert_uint_eq(of_params("{\"actions\": [{\"log\": \"1\"}]}"),
			  RIGHT_EVAL);
	ck_assert_uint_eq(of_params("{\"actions\": [{\"exec\": \"1\"}]}"),
			  RIGHT_EXEC);
	ck_assert_uint_eq(of_params("{\"actions\": [{\"jump\": \"1\"}]}"),
			  RIGHT_EXEC);
	ck_assert_uint_eq(of_params("{\"actions\": [{\"call\": \"m:f\"}]}"),
			  RIGHT_EXEC);
	ck_assert_uint_eq(of_params("{\"actions\": [{\"debug\": true}]}"),
			  RIGHT_DEBUG);
	/* Two members are none for the method; here both count. */
	ck_assert_uint_eq(of_params("{\"actions\": [{\"log\": \"1\", "
				    "\"exec\": \"2\"}]}"),
			  RIGHT_EVAL | RIGHT_EXEC);
	ck_assert_uint_eq(of_params("{\"actions\": [1, [2], {\"x\": 1}]}"),
			  RIGHTS_NONE);
}
END_TEST

START_TEST(probes_take_rights)
{
	struct probe_spec spec = { .kind = PROBE_CALLS };

	ck_assert_uint_eq(rights_of_probe(&spec), RIGHT_CAPTURE);
	spec.script.condition = "x";
	ck_assert_uint_eq(rights_of_probe(&spec), RIGHT_CAPTURE | RIGHT_EVAL);
	spec.script.condition = NULL;
	spec.limits.repr = 1;
	ck_assert_uint_eq(rights_of_probe(&spec), RIGHT_CAPTURE | RIGHT_EVAL);
	spec.script.action_count = 2;
	spec.script.actions[0].kind = ACTION_JUMP;
	spec.script.actions[1].kind = ACTION_DEBUG;
	ck_assert_uint_eq(rights_of_probe(&spec), RIGHT_CAPTURE | RIGHT_EVAL |
							  RIGHT_EXEC |
							  RIGHT_DEBUG);
}
END_TEST

START_TEST(rights_read_well)
{
	char text[64];

	ck_assert_str_eq(rights_text(0, text, sizeof(text)), "nothing");
	ck_assert_str_eq(rights_text(RIGHT_SEE, text, sizeof(text)), "see");
	ck_assert_str_eq(
		rights_text(RIGHT_SEE | RIGHT_DEBUG, text, sizeof(text)),
		"see and debug");
	ck_assert_str_eq(rights_text(RIGHTS_ALL, text, sizeof(text)),
			 "see, stack, capture, eval, exec and debug");
	ck_assert_uint_eq(strlen(rights_text(RIGHTS_ALL, text, 8)), 7);
	ck_assert_uint_eq(rights_find("exec"), RIGHT_EXEC);
	ck_assert_uint_eq(rights_find("execute"), 0);
	ck_assert_str_eq(rights_name(RIGHT_STACK | RIGHT_EXEC), "stack");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("policy");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_default_is_own_processes);
	tcase_add_test(tests, a_process_of_mixed_users_is_nobody_s_own);
	tcase_add_test(tests, no_rule_grants_nothing);
	tcase_add_test(tests, the_first_rule_that_holds_decides);
	tcase_add_test(tests, groups_count_first_and_supplementary);
	tcase_add_test(tests, all_conditions_must_hold);
	tcase_add_test(tests, programs_match_by_path);
	tcase_add_test(tests, an_unproven_path_only_narrows);
	tcase_add_test(tests, an_owner_in_part_only_narrows);
	tcase_add_test(tests, units_are_found_in_control_groups);
	tcase_add_test(tests, control_groups_hold_those_below);
	tcase_add_test(tests, what_is_wrong_is_named);
	tcase_add_test(tests, lines_and_escapes_are_fine);
	tcase_add_test(tests, too_much_is_refused);
	tcase_add_test(tests, requests_take_rights);
	tcase_add_test(tests, probes_take_rights);
	tcase_add_test(tests, rights_read_well);
	return suite_run("policy", tests);
}
