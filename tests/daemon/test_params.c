/* SPDX-License-Identifier: MIT */
/* params, where: only what the table says, each of its type. */
#include "daemon/params.h"

#include <stdio.h>
#include <string.h>

#include "daemon/where.h"
#include "tests/daemon/suite.h"

static const struct param table[] = {
	{ "pid", PARAM_PID, true },	 { "flag", PARAM_BOOL, false },
	{ "text", PARAM_STRING, false }, { "count", PARAM_COUNT, false },
	{ "probe", PARAM_PROBE, false }, { "object", PARAM_OBJECT, false },
	{ NULL, PARAM_END, false },
};

static struct error err;

static int check(const char *text)
{
	cJSON *params = cJSON_Parse(text);
	int result;

	ck_assert_ptr_nonnull(params);
	error_clear(&err);
	result = params_check(params, table, &err);
	cJSON_Delete(params);
	return result;
}

static void refuses(const char *text, const char *name)
{
	ck_assert_msg(check(text) == -1, "%s", text);
	ck_assert_int_eq(err.code, ERROR_PARAMS);
	ck_assert_msg(strstr(err.msg, name) != NULL, "%s: %s", text, err.msg);
}

START_TEST(good_parameters_pass)
{
	ck_assert_int_eq(check("{\"pid\":1}"), 0);
	ck_assert_int_eq(check("{\"pid\":4194304,\"flag\":false,"
			       "\"text\":\"x\",\"count\":9007199254740992,"
			       "\"probe\":4294967295,\"object\":{}}"),
			 0);
}
END_TEST

START_TEST(pids_are_integers_in_range)
{
	static const char *const bad[] = { "0",	   "-1",    "1.5",   "4194305",
					   "1e99", "\"1\"", "true",  "null",
					   "[1]",  "{}",    "-1e400" };
	char text[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "{\"pid\":%s}", bad[i]);
		refuses(text, "'pid'");
	}
}
END_TEST

START_TEST(others_are_of_their_type)
{
	refuses("{\"pid\":1,\"flag\":1}", "'flag'");
	refuses("{\"pid\":1,\"text\":\"\"}", "'text'");
	refuses("{\"pid\":1,\"text\":null}", "'text'");
	refuses("{\"pid\":1,\"count\":-1}", "'count'");
	refuses("{\"pid\":1,\"count\":9007199254740994}", "'count'");
	refuses("{\"pid\":1,\"probe\":0}", "'probe'");
	refuses("{\"pid\":1,\"probe\":4294967296}", "'probe'");
	refuses("{\"pid\":1,\"object\":[]}", "'object'");
}
END_TEST

START_TEST(unknown_twice_and_missing_are_named)
{
	refuses("{\"pid\":1,\"hist\":5}", "'hist'");
	refuses("{\"pid\":1,\"PID\":1}", "'PID'");
	refuses("{\"pid\":1,\"pid\":2}", "'pid' twice");
	refuses("{}", "'pid' is missing");
	ck_assert_int_eq(params_check(NULL, table, &err), -1);
}
END_TEST

static int take(const char *text, struct location *location)
{
	cJSON *params = cJSON_Parse(text);
	int result;

	error_clear(&err);
	result = where_take(params, false, location, &err);
	cJSON_Delete(params);
	return result;
}

START_TEST(locations_come_whole_or_in_parts)
{
	struct location location;

	ck_assert_int_eq(take("{\"where\":\"a.b:C.m\"}", &location), 0);
	ck_assert_str_eq(location.module, "a.b");
	ck_assert_str_eq(location.function, "C.m");
	ck_assert_int_eq(take("{\"where\":\"m\",\"file\":\"x.py\"}", &location),
			 0);
	ck_assert_str_eq(location.file, "x.py");
	ck_assert_int_eq(
		take("{\"where\":\"a:m\",\"module\":\"b\"}", &location), -1);
	ck_assert_int_eq(err.code, ERROR_LOCATION);
	ck_assert_int_eq(take("{}", &location), -1);
	ck_assert_int_eq(err.code, ERROR_LOCATION);
}
END_TEST

START_TEST(a_line_is_for_breakpoints)
{
	struct location location;
	cJSON *params = cJSON_Parse("{\"where\":\"x.py:12\"}");

	ck_assert_int_eq(where_take(params, false, &location, &err), -1);
	error_clear(&err);
	ck_assert_int_eq(where_take(params, true, &location, &err), 0);
	ck_assert_str_eq(location.file, "x.py");
	ck_assert_uint_eq(location.line_kind, LINE_NUMBER);
	ck_assert_uint_eq(location.line, 12);
	cJSON_Delete(params);
}
END_TEST

START_TEST(long_parts_are_refused)
{
	char text[2 * LIMIT_NAME];
	struct location location;

	snprintf(text, sizeof(text), "{\"function\":\"%0*d\"}", LIMIT_NAME, 0);
	ck_assert_int_eq(take(text, &location), -1);
	ck_assert_int_eq(err.code, ERROR_LOCATION);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("params");

	tcase_add_test(tests, good_parameters_pass);
	tcase_add_test(tests, pids_are_integers_in_range);
	tcase_add_test(tests, others_are_of_their_type);
	tcase_add_test(tests, unknown_twice_and_missing_are_named);
	tcase_add_test(tests, locations_come_whole_or_in_parts);
	tcase_add_test(tests, a_line_is_for_breakpoints);
	tcase_add_test(tests, long_parts_are_refused);
	return suite_run("params", tests);
}
