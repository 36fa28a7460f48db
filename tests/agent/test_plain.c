/* SPDX-License-Identifier: MIT */
/* plain: which expressions C takes upon itself, and which it leaves to the
 * interpreter. What it answers is compared with Python's own answers by
 * tests/agent/cases/plain.py. */
#include "agent/plain.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const taken[] = {
	"x",
	" x ",
	"n < 0",
	"n == 3",
	"n != 3.5",
	"n % 100 == 0",
	"n // 2 * 3 - 1 >= -n",
	"0 < n < 10",
	"0 < n <= 10 != m",
	"x is None",
	"x is not None",
	"not x",
	"not not x",
	"name == 'ann'",
	"name != \"it's\"",
	"'' == name",
	"n > 3 and (name == 'ann' or not x)",
	"(n + 1) * 2 > m",
	"True",
	"is_open == True",
	"_private1 and notnull",
	"((((n))))",
};

static const char *const left[] = {
	"",
	"f(n)",
	"f (n)",
	"x.y > 1",
	"x[0]",
	"(x)[0]",
	"(x).y",
	"n ** 2",
	"n / 2",
	"n & 1",
	"n << 1",
	"n >> 1",
	"~n",
	"n in x",
	"n not in x",
	"n if x else m",
	"lambda: n",
	"n, m",
	"[n]",
	"{n}",
	"(n)(m)",
	"(y := n)",
	"'a' 'b' == name",
	"b'a' == name",
	"f'{n}' == name",
	"r'a' == name",
	"'a\\n' == name",
	"'''a''' == name",
	"'\xc3\xa9' == name",
	"\xc3\xa9 > 1",
	"n > 0x10",
	"n > 1e3",
	"n > 1_000",
	"n > 1j",
	"n > 1234567890123456",
	"n # a comment",
	"n\n",
	/* `and` yields an operand, not a truth */
	"(n or m) > 1",
	"-(n or m)",
	"(n and m) + 1",
	"1 + (n and m)",
	"1 < (n and m)",
	"await x",
	"*x",
	"...",
};

START_TEST(takes)
{
	struct plain plain;

	plain_parse(&plain, taken[_i]);
	ck_assert_msg(plain.count > 0, "left: %s", taken[_i]);
}
END_TEST

START_TEST(leaves)
{
	struct plain plain;

	plain_parse(&plain, left[_i]);
	ck_assert_msg(plain.count == 0, "taken: %s", left[_i]);
}
END_TEST

/* What finds no room is left, however it is cut. */
START_TEST(bounds)
{
	static char text[8192];
	struct plain plain;

	for (int n = 1; n < 2000; n++) {
		for (int i = 0; i < n; i++)
			text[i] = "n<((-'"[_i];
		text[n] = '\0';
		plain_parse(&plain, text);
		ck_assert_msg(plain.count == 0 || (_i == 0 && n < PLAIN_TEXT) ||
				      (_i == 5 && n == 2),
			      "taken: %d", n);
	}
	for (int n = 1; n < 500; n++) {
		size_t used = 0;

		for (int i = 0; i < n; i++)
			used += (size_t)snprintf(text + used, 20, "%sn%d",
						 i ? " and " : "", i);
		plain_parse(&plain, text);
		ck_assert_int_eq(plain.count > 0, n <= PLAIN_NAMES);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("plain");
	TCase *t = tcase_create("parse");

	tcase_add_loop_test(t, takes, 0, sizeof taken / sizeof *taken);
	tcase_add_loop_test(t, leaves, 0, sizeof left / sizeof *left);
	tcase_add_loop_test(t, bounds, 0, 6);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
