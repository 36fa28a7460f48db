/* SPDX-License-Identifier: MIT */
/* json_write: what it writes is JSON, escaped, and never past the buffer. */
#include "proto/json_write.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json_check.h"

static char buf[512];

static void expect(const struct json_writer *w, const char *text)
{
	ck_assert(!w->full);
	ck_assert_uint_eq(json_length(w), strlen(text));
	ck_assert(!memcmp(w->start, text, strlen(text)));
}

START_TEST(commas_and_nesting)
{
	struct json_writer w;

	json_init(&w, buf, sizeof buf);
	json_object_begin(&w);
	json_key(&w, "a");
	json_int(&w, -5);
	json_key(&w, "b");
	json_array_begin(&w);
	json_null(&w);
	json_bool(&w, true);
	json_object_begin(&w);
	json_object_end(&w);
	json_array_end(&w);
	json_key(&w, "c");
	json_hex(&w, 0x7f00);
	json_object_end(&w);
	expect(&w, "{\"a\":-5,\"b\":[null,true,{}],\"c\":\"0x7f00\"}");
}
END_TEST

START_TEST(numbers_at_their_bounds)
{
	struct json_writer w;

	json_init(&w, buf, sizeof buf);
	json_array_begin(&w);
	json_int(&w, INT64_MIN);
	json_int(&w, INT64_MAX);
	json_uint(&w, UINT64_MAX);
	json_time(&w, 1500000042007000u);
	json_hex(&w, 0);
	json_array_end(&w);
	expect(&w, "[-9223372036854775808,9223372036854775807,"
		   "18446744073709551615,1500000.042007,\"0x0\"]");
}
END_TEST

START_TEST(strings_are_escaped)
{
	struct json_writer w;

	json_init(&w, buf, sizeof buf);
	json_string(&w, "q\"b\\n\n\x7f\xc3\xa9\xf0\x9f\x98\x80");
	expect(&w, "\"q\\\"b\\\\n\\u000a\\u007f\xc3\xa9\xf0\x9f\x98\x80\"");
	json_init(&w, buf, sizeof buf);
	json_string_begin(&w);
	json_string_char(&w, 0xd800);
	json_string_char(&w, 0x20ac);
	json_string_char(&w, 0x110000);
	json_string_end(&w);
	expect(&w, "\"\\ud800\xe2\x82\xac\xef\xbf\xbd\"");
}
END_TEST

START_TEST(bytes_that_are_not_utf8_become_the_replacement)
{
	static const char *const bad[] = { "\xff",	   "\xc0\xaf",
					   "\xed\xa0\x80", "\xf4\x90\x80\x80",
					   "\xe2\x82",	   "\x80" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct json_writer w;

		json_init(&w, buf, sizeof buf);
		json_object_begin(&w);
		json_key(&w, "k");
		json_string(&w, bad[i]);
		json_object_end(&w);
		ck_assert_ptr_null(
			json_check(buf, json_length(&w), NULL, NULL));
		ck_assert_ptr_nonnull(
			memmem(buf, json_length(&w), "\xef\xbf\xbd", 3));
	}
}
END_TEST

START_TEST(base64_pads)
{
	struct json_writer w;

	json_init(&w, buf, sizeof buf);
	json_array_begin(&w);
	json_base64(&w, "", 0);
	json_base64(&w, "f", 1);
	json_base64(&w, "fo", 2);
	json_base64(&w, "foobar", 6);
	json_array_end(&w);
	expect(&w, "[\"\",\"Zg==\",\"Zm8=\",\"Zm9vYmFy\"]");
}
END_TEST

START_TEST(never_past_the_end_and_rewinds)
{
	for (size_t size = 0; size < 40; size++) {
		struct json_writer w;
		struct json_mark mark;

		memset(buf, '#', sizeof buf);
		json_init(&w, buf, size);
		json_object_begin(&w);
		mark = json_mark(&w);
		json_key(&w, "key");
		json_string(&w, "a text of some length \xc3\xa9");
		json_object_end(&w);
		ck_assert_uint_le(json_length(&w), size);
		ck_assert_int_eq(buf[size], '#');
		if (w.full && size >= 2) {
			json_rewind(&w, mark);
			json_object_end(&w);
			expect(&w, "{}");
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_write");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, commas_and_nesting);
	tcase_add_test(tc, numbers_at_their_bounds);
	tcase_add_test(tc, strings_are_escaped);
	tcase_add_test(tc, bytes_that_are_not_utf8_become_the_replacement);
	tcase_add_test(tc, base64_pads);
	tcase_add_test(tc, never_past_the_end_and_rewinds);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
