/* SPDX-License-Identifier: MIT */
/* json_check: accepts RFC 8259 in one line, refuses everything else. */
#include "proto/json_check.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const reserved[] = { "pid", "seq", NULL };

static const char *check(const char *text)
{
	return json_check(text, strlen(text), reserved, NULL);
}

static const char *const good[] = {
	"{}",
	" {\"a\":[1,-0,0.5,1e9,1E-2,12.25e+3]} ",
	"{\"a\":\"\\u00e9\\n\\\"\\\\\\/\"}",
	"{\"a\":{\"pid\":1}}",
	"{\"\xf0\x9f\x98\x80\":null,\"t\":true,\"f\":false}",
	"{\"lone\":\"\\ud800\"}",
	"{\"a\":[[],{},[{}]]}",
};

static const char *const bad[] = {
	"",
	"[]",
	"1",
	"{",
	"{}}",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{,}",
	"{\"a\":[1,]}",
	"{\"a\":01}",
	"{\"a\":-}",
	"{\"a\":1.}",
	"{\"a\":.5}",
	"{\"a\":1e}",
	"{\"a\":+1}",
	"{\"a\":NaN}",
	"{\"a\":tru}",
	"{\"a\":\"\n\"}",
	"{\"a\":\"\x01\"}",
	"{\"a\":\"\\x\"}",
	"{\"a\":\"\\u12g4\"}",
	"{\"a\":\"\\",
	"{\"a\":\"",
	"{\n\"a\":1}",
	"{\"a\":\"\x80\"}",
	"{\"a\":\"\xc0\xaf\"}",
	"{\"a\":\"\xed\xa0\x80\"}",
	"{\"a\":\"\xf4\x90\x80\x80\"}",
	"{\"a\":\"\xe2\x82",
	"{a:1}",
	"{'a':1}",
	"{\"pid\":1}",
	"{\"a\":1,\"seq\":2}",
	"{\"p\\u0069d\":1}",
};

START_TEST(good_text)
{
	ck_assert_ptr_null(check(good[_i]));
}
END_TEST

START_TEST(bad_text)
{
	ck_assert_ptr_nonnull(check(bad[_i]));
}
END_TEST

START_TEST(a_nul_inside_is_refused)
{
	ck_assert_ptr_nonnull(json_check("{\"a\":\"\0\"}", 9, NULL, NULL));
	ck_assert_ptr_nonnull(json_check("{\"a\":\"\\\0\"}", 10, NULL, NULL));
	ck_assert_ptr_nonnull(json_check("{}\0", 3, NULL, NULL));
}
END_TEST

START_TEST(depth_is_bounded)
{
	static char text[1 << 20];
	size_t offset;

	memset(text, '[', sizeof text);
	memcpy(text, "{\"a\":", 5);
	ck_assert_ptr_nonnull(json_check(text, sizeof text, NULL, &offset));
	ck_assert_uint_lt(offset, 100);
}
END_TEST

START_TEST(every_prefix_of_good_text_is_refused)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		size_t length = strlen(good[i]);

		while (length && good[i][length - 1] == ' ')
			length--;
		while (length--)
			ck_assert_ptr_nonnull(
				json_check(good[i], length, NULL, NULL));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_check");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, good_text, 0,
			    (int)(sizeof good / sizeof *good));
	tcase_add_loop_test(tc, bad_text, 0, (int)(sizeof bad / sizeof *bad));
	tcase_add_test(tc, a_nul_inside_is_refused);
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, every_prefix_of_good_text_is_refused);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
