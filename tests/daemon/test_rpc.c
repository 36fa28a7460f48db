/* SPDX-License-Identifier: MIT */
/* rpc: what is a request, whose id the answer carries, how answers look. */
#include "daemon/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "tests/daemon/suite.h"

static struct rpc_request request;
static struct error err;

static int parse(const char *text)
{
	error_clear(&err);
	return rpc_parse(text, strlen(text), &request, &err);
}

static void accepts(const char *text, const char *id, const char *method)
{
	ck_assert_msg(!parse(text), "%s: %s", text, err.msg);
	ck_assert_str_eq(request.id, id);
	ck_assert_str_eq(request.method, method);
	rpc_request_release(&request);
}

static void refuses(const char *text, enum error_code code, const char *id)
{
	ck_assert_msg(parse(text) == -1, "%s", text);
	ck_assert_msg(err.code == code, "%s: %s", text, err.msg);
	ck_assert_str_eq(request.id, id);
	ck_assert_ptr_null(request.root);
}

START_TEST(ids_are_echoed_as_they_came)
{
	accepts("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ps\"}", "1", "ps");
	accepts("{\"jsonrpc\":\"2.0\",\"id\": 12345678901234567890 ,"
		"\"method\":\"ps\"}",
		"12345678901234567890", "ps");
	accepts("{\"method\":\"ps\",\"id\":1e400,\"jsonrpc\":\"2.0\"}", "1e400",
		"ps");
	accepts("{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"},\\u00e9\","
		"\"method\":\"ps\"}",
		"\"a\\\"},\\u00e9\"", "ps");
	accepts(" { \"id\" : null , \"jsonrpc\":\"2.0\",\"method\":\"ps\"}",
		"null", "ps");
	/* Only the top level counts. */
	accepts("{\"params\":{\"id\":[{\"id\":7}]},\"jsonrpc\":\"2.0\","
		"\"id\":8,\"method\":\"ps\"}",
		"8", "ps");
}
END_TEST

START_TEST(bad_ids_are_refused)
{
	static const char *const ids[] = { "{}", "[1]", "true", "false" };
	char text[256];

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		snprintf(text, sizeof(text),
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"m\"}",
			 ids[i]);
		refuses(text, ERROR_REQUEST, "null");
	}
	refuses("{\"jsonrpc\":\"2.0\",\"method\":\"m\"}", ERROR_REQUEST,
		"null");
	snprintf(text, sizeof(text),
		 "{\"jsonrpc\":\"2.0\",\"id\":\"%0140d\",\"method\":\"m\"}", 0);
	refuses(text, ERROR_REQUEST, "null");
}
END_TEST

START_TEST(malformed_text_is_a_parse_error)
{
	refuses("", ERROR_PARSE, "null");
	refuses("hello", ERROR_PARSE, "null");
	refuses("{\"id\":1", ERROR_PARSE, "null");
	refuses("{\"id\":1}x", ERROR_PARSE, "null");
	refuses("{\"id\":\"\xff\"}", ERROR_PARSE, "null");
	refuses("\"id\"", ERROR_PARSE, "null");
}
END_TEST

START_TEST(depth_is_bounded)
{
	char text[2 * 200 + 64] = "{\"id\":1,\"params\":";
	size_t at = strlen(text);

	memset(text + at, '[', 200);
	memset(text + at + 200, ']', 200);
	text[at + 400] = '}';
	refuses(text, ERROR_PARSE, "null");
}
END_TEST

START_TEST(wrong_members_keep_the_id)
{
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}]",
		ERROR_REQUEST, "null");
	refuses("{\"id\":4,\"method\":\"m\"}", ERROR_REQUEST, "4");
	refuses("{\"jsonrpc\":2.0,\"id\":4,\"method\":\"m\"}", ERROR_REQUEST,
		"4");
	refuses("{\"jsonrpc\":\"2.0\",\"id\":4}", ERROR_REQUEST, "4");
	refuses("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":5}", ERROR_REQUEST,
		"4");
	refuses("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"\"}", ERROR_REQUEST,
		"4");
	refuses("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"m\",\"params\":[]}",
		ERROR_PARAMS, "4");
	refuses("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"m\","
		"\"params\":{\"a\":\"x\\u0000y\"}}",
		ERROR_REQUEST, "null");
}
END_TEST

START_TEST(an_escaped_backslash_is_no_nul)
{
	accepts("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\\\u0000\"}", "1",
		"a\\u0000");
}
END_TEST

static void is_line(const char *line, size_t length, const char *expected)
{
	ck_assert_ptr_nonnull(line);
	ck_assert_msg(length == strlen(expected) &&
			      !memcmp(line, expected, length),
		      "%.*s", (int)length, line);
}

static void render(struct json_writer *w, const void *arg)
{
	for (size_t i = 0; i < *(const size_t *)arg; i++) {
		json_key(w, "k");
		json_string(w, "0123456789");
	}
}

START_TEST(answers_grow_until_they_fit)
{
	size_t length, count = 1;
	char *line = rpc_result("7", render, &count, &length);

	is_line(line, length,
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":"
		"{\"k\":\"0123456789\"}}\n");
	free(line);
	count = 20000;
	line = rpc_result("7", render, &count, &length);
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_gt(length, 20000 * 16);
	ck_assert_int_eq(line[length - 1], '\n');
	free(line);
	count = RPC_ANSWER_MAX / 10;
	ck_assert_ptr_null(rpc_result("7", render, &count, &length));
}
END_TEST

START_TEST(failures_carry_name_remedy_and_exit)
{
	char line[RPC_FAILURE_MAX];
	size_t length;

	error_clear(&err);
	error_set(&err, ERROR_NO_PROCESS, "pid 9: \"gone\"\n");
	length = rpc_failure("\"x\"", &err, line);
	ck_assert_str_eq(
		strndupa(line, length),
		"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{"
		"\"code\":-32020,\"message\":\"pid 9: \\\"gone\\\"\\u000a\","
		"\"data\":{\"name\":\"no-such-process\",\"exit\":4}}}\n");
	error_remedy(&err, "look");
	line[rpc_failure("null", &err, line)] = '\0';
	ck_assert_ptr_nonnull(strstr(line, "\"remedy\":\"look\",\"exit\":4"));
	/* The longest of all fits. */
	memset(err.msg, 1, sizeof(err.msg) - 1);
	memset(err.remedy, 1, sizeof(err.remedy) - 1);
	length = rpc_failure("null", &err, line);
	ck_assert_uint_lt(length, RPC_FAILURE_MAX);
	ck_assert_mem_eq(line + length - 3, "}}\n", 3);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("rpc");

	tcase_add_test(tests, ids_are_echoed_as_they_came);
	tcase_add_test(tests, bad_ids_are_refused);
	tcase_add_test(tests, malformed_text_is_a_parse_error);
	tcase_add_test(tests, depth_is_bounded);
	tcase_add_test(tests, wrong_members_keep_the_id);
	tcase_add_test(tests, an_escaped_backslash_is_no_nul);
	tcase_add_test(tests, answers_grow_until_they_fit);
	tcase_add_test(tests, failures_carry_name_remedy_and_exit);
	return suite_run("rpc", tests);
}
