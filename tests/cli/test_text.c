/* SPDX-License-Identifier: MIT */
/* text: nothing of a target reaches the terminal raw, and widths add up. */
#include "clients/cli/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *foreign;
	const char *shown;
} cases[] = {
	{ "plain", "plain" },
	{ "a\nb\r\tc", "a\\nb\\r\\tc" },
	{ "\x1b]0;evil\x07", "\\x1b]0;evil\\x07" },
	{ "\x7f", "\\x7f" },
	{ "\xc2\x9b"
	  "31m",
	  "\\x9b31m" }, /* C1 CSI, in UTF-8 */
	{ "\x9b"
	  "31m",
	  "\\x9b31m" }, /* and bare */
	{ "\xe2\x80\xae"
	  "gnp",
	  "\\u202egnp" },		       /* right to left */
	{ "\xe2\x81\xa6x", "\\u2066x" },       /* isolate */
	{ "\xe2\x80\x8bx", "\\u200bx" },       /* zero width */
	{ "\xef\xbb\xbfx", "\\ufeffx" },       /* byte order mark */
	{ "\xf3\xa0\x81\xa1", "\\U000e0061" }, /* tag character */
	{ "caf\xc3\xa9 \xe6\xbc\xa2", "caf\xc3\xa9 \xe6\xbc\xa2" },
	{ "\xc3", "\\xc3" },		       /* cut short */
	{ "\xc0\x80", "\\xc0\\x80" },	       /* overlong */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
	{ "\xff\xfe", "\\xff\\xfe" },
};

START_TEST(foreign_text)
{
	struct text text = TEXT_INIT;

	text_add_foreign(&text, cases[_i].foreign);
	ck_assert_str_eq(text_string(&text), cases[_i].shown);
	text_release(&text);
}
END_TEST

START_TEST(columns)
{
	ck_assert_uint_eq(text_columns(""), 0);
	ck_assert_uint_eq(text_columns("abc"), 3);
	ck_assert_uint_eq(text_columns("\xc3\xa9"), 1);
	ck_assert_uint_eq(text_columns("\xe6\xbc\xa2"), 2);
	ck_assert_uint_eq(text_columns("e\xcc\x81"), 1);
	ck_assert_uint_eq(text_columns("\xf0\x9f\x98\x80"), 2);
}
END_TEST

START_TEST(cutting)
{
	struct text text = TEXT_INIT;

	text_add(&text, "x: ");
	text_add(&text, "0123456789");
	text_cut(&text, 3, 10);
	ck_assert_str_eq(text_string(&text), "x: 0123456789");
	text_cut(&text, 3, 8);
	ck_assert_str_eq(text_string(&text), "x: 01234...");
	text_cut(&text, 3, 2);
	ck_assert_str_eq(text_string(&text), "x: ..");
	text_cut(&text, 3, 0);
	ck_assert_str_eq(text_string(&text), "x: ");
	text_release(&text);

	/* Never in the middle of a character. */
	text_add(&text, "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2");
	text_cut(&text, 0, 4);
	ck_assert_str_eq(text_string(&text), "...");
	text_release(&text);
}
END_TEST

START_TEST(padding)
{
	struct text text = TEXT_INIT;

	text_add(&text, "\xe6\xbc\xa2");
	text_pad(&text, 0, 4);
	ck_assert_str_eq(text_string(&text), "\xe6\xbc\xa2  ");
	text_pad(&text, 0, 2);
	ck_assert_uint_eq(text.length, 5);
	text_release(&text);
	ck_assert_str_eq(text_string(&text), "");
}
END_TEST

START_TEST(growing)
{
	struct text text = TEXT_INIT;

	for (int i = 0; i < 5000; i++)
		text_addf(&text, "%04d", i % 10000);
	ck_assert_uint_eq(text.length, 20000);
	ck_assert_uint_eq(strlen(text_string(&text)), 20000);
	text_rewind(&text, 4);
	ck_assert_str_eq(text_string(&text), "0000");
	text_release(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, foreign_text, 0,
			    (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tcase, columns);
	tcase_add_test(tcase, cutting);
	tcase_add_test(tcase, padding);
	tcase_add_test(tcase, growing);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
