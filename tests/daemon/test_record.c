/* SPDX-License-Identifier: MIT */
/* record: the envelope, and which bodies of a target are forwarded. */
#include "daemon/record.h"

#include <stdio.h>
#include <string.h>

#include "tests/daemon/suite.h"

static char line[RECORD_LINE];
static char large[LIMIT_RECORD + 1];

static const struct record_head full = { "call", "7.42", 7, 3, 9 };
static const struct record_head bare = { "attached", "7.42", 7, 0, 0 };

static void gives(const struct record_head *head, const char *body,
		  const char *expected)
{
	size_t length =
		record_line(line, sizeof(line), head, body, strlen(body));

	ck_assert_uint_lt(length, sizeof(line));
	line[length] = '\0';
	ck_assert_str_eq(line, expected);
}

START_TEST(the_envelope_comes_first)
{
	gives(&full, "{\"a\":1}",
	      "{\"jsonrpc\":\"2.0\",\"method\":\"record\",\"params\":{\"v\":1,"
	      "\"event\":\"call\",\"target\":\"7.42\",\"pid\":7,\"probe\":3,"
	      "\"seq\":9,\"a\":1}}\n");
	gives(&bare, "{ }",
	      "{\"jsonrpc\":\"2.0\",\"method\":\"record\",\"params\":{\"v\":1,"
	      "\"event\":\"attached\",\"target\":\"7.42\",\"pid\":7}}\n");
}
END_TEST

START_TEST(the_largest_body_fits)
{
	memset(large, 'x', LIMIT_RECORD);
	memcpy(large, "{\"a\":\"", 6);
	memcpy(large + LIMIT_RECORD - 2, "\"}", 2);
	ck_assert_ptr_null(record_check(large, LIMIT_RECORD));
	ck_assert_uint_gt(
		record_line(line, sizeof(line), &full, large, LIMIT_RECORD),
		LIMIT_RECORD);
	ck_assert_uint_eq(record_line(line, 64, &full, large, LIMIT_RECORD), 0);
}
END_TEST

static void unfit(const char *body)
{
	ck_assert_msg(record_check(body, strlen(body)) != NULL, "%s", body);
}

START_TEST(unfit_bodies_are_refused)
{
	static const char *const reserved[] = { "v",   "event", "target",
						"pid", "probe", "seq" };
	char body[64];

	unfit("");
	unfit("{");
	unfit("[]");
	unfit("1");
	unfit("{\"a\":1} ");
	unfit(" {\"a\":1}");
	unfit("{\"a\":1}{\"b\":2}");
	unfit("{\"a\":\"\n\"}");
	unfit("{\"a\":1,\n\"b\":2}");
	unfit("{\"\\u0076\":1}");
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		snprintf(body, sizeof(body), "{\"%s\":1}", reserved[i]);
		unfit(body);
	}
	ck_assert_ptr_nonnull(record_check(large, LIMIT_RECORD + 1));
	/* Below the top the names are the target's. */
	ck_assert_ptr_null(record_check("{\"args\":{\"pid\":1}}", 18));
}
END_TEST

START_TEST(strings_are_copied_within_bounds)
{
	static const char body[] = "{\"a\":\"four\",\"b\":4}";
	char buf[5];

	record_string(body, strlen(body), "a", buf, sizeof(buf));
	ck_assert_str_eq(buf, "four");
	record_string(body, strlen(body), "a", buf, 4);
	ck_assert_str_eq(buf, "");
	record_string(body, strlen(body), "b", buf, sizeof(buf));
	ck_assert_str_eq(buf, "");
	record_string(body, strlen(body), "c", buf, sizeof(buf));
	ck_assert_str_eq(buf, "");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("record");

	tcase_add_test(tests, the_envelope_comes_first);
	tcase_add_test(tests, the_largest_body_fits);
	tcase_add_test(tests, unfit_bodies_are_refused);
	tcase_add_test(tests, strings_are_copied_within_bounds);
	return suite_run("record", tests);
}
