/* SPDX-License-Identifier: MIT */
/* location and glob: what a WHERE means, and which are refused. */
#include "proto/location.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/glob.h"

static const struct {
	const char *where, *module, *function;
} good[] = {
	{ "pkg.mod:Class.meth", "pkg.mod", "Class.meth" },
	{ "mod:f", "mod", "f" },
	{ "name", "", "name" },
	{ "Class.meth", "", "Class.meth" },
	{ " mod : f ", "mod", "f" },
	{ "pkg.*:get_*", "pkg.*", "get_*" },
	{ "mod:outer.<locals>.inner", "mod", "outer.<locals>.inner" },
	{ "mod:<lambda>", "mod", "<lambda>" },
	{ "m[ab]:[!_]*", "m[ab]", "[!_]*" },
	{ "caf\xc3\xa9:\xc3\xa9", "caf\xc3\xa9", "\xc3\xa9" },
};

static const char *const bad[] = {
	"",	    "  ",     ":f",	 "mod:",    "a:b:c",  "file.py:120",
	"mod:f()",  "a b",    "mod:.f",	 "mod:f.",  "a..b:f", "mod:f[",
	"mod:\x01", "x/y.py", "mod:f,g", "mod:f\n",
};

START_TEST(good_locations)
{
	struct location location;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(location_parse(good[_i].where, &location, &err), 0);
	ck_assert_str_eq(location.module, good[_i].module);
	ck_assert_str_eq(location.function, good[_i].function);
}
END_TEST

START_TEST(bad_locations)
{
	struct location location;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(location_parse(bad[_i], &location, &err), -1);
	ck_assert_int_eq(err.code, ERROR_LOCATION);
	ck_assert_int_eq(error_exit_status(err.code), 5);
	ck_assert(*err.msg && *err.remedy);
}
END_TEST

START_TEST(too_long_is_refused)
{
	static char text[5000];
	struct location location;

	memset(text, 'a', sizeof text - 1);
	ck_assert_int_eq(location_parse(text, &location, NULL), -1);
	text[2000] = ':';
	ck_assert_int_eq(location_parse(text, &location, NULL), -1);
}
END_TEST

START_TEST(text_names_the_parts)
{
	struct location location = { .module = "m", .function = "f" };
	char buf[64];

	ck_assert_str_eq(location_text(&location, buf, sizeof buf), "m:f");
	snprintf(location.file, sizeof(location.file), "%s", "x.py");
	ck_assert_str_eq(location_text(&location, buf, sizeof buf),
			 "--file x.py --module m --function f");
	ck_assert_str_eq(location_text(&location, buf, 8), "--file ");
}
END_TEST

START_TEST(globs)
{
	ck_assert(glob_match("a*c", "abbbc"));
	ck_assert(glob_match("*", ""));
	ck_assert(glob_match("a?c", "abc"));
	ck_assert(glob_match("[a-c]x", "bx"));
	ck_assert(glob_match("[!a-c]x", "dx"));
	ck_assert(glob_match("[]x]", "]"));
	ck_assert(glob_match("[", "["));
	ck_assert(glob_match("*a*b*c*", "xxaxxbxxcxx"));
	ck_assert(!glob_match("a*c", "abd"));
	ck_assert(!glob_match("[!a-c]x", "bx"));
	ck_assert(!glob_match("", "a"));
	ck_assert(!glob_match("?", ""));
	ck_assert(glob_is_literal("a.b") && !glob_is_literal("a*"));
}
END_TEST

START_TEST(stars_are_not_exponential)
{
	static char pattern[200], text[4000];

	for (size_t i = 0; i + 2 < sizeof pattern; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[sizeof pattern - 2] = 'b';
	memset(text, 'a', sizeof text - 1);
	ck_assert(!glob_match(pattern, text));
}
END_TEST

START_TEST(paths_match_from_the_right)
{
	ck_assert(glob_match_path("views.py", "/app/views.py"));
	ck_assert(glob_match_path("app/*.py", "/srv/app/views.py"));
	ck_assert(glob_match_path("/srv/*/views.py", "/srv/app/views.py"));
	ck_assert(glob_match_path("<stdin>", "<stdin>"));
	ck_assert(!glob_match_path("*.py", "/app/views.pyc"));
	ck_assert(!glob_match_path("/app/*.py", "/srv/app/views.py"));
	ck_assert(!glob_match_path("srv/*.py", "/srv/app/views.py"));
	ck_assert(!glob_match_path("", "/x"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("location");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, good_locations, 0,
			    (int)(sizeof good / sizeof *good));
	tcase_add_loop_test(tc, bad_locations, 0,
			    (int)(sizeof bad / sizeof *bad));
	tcase_add_test(tc, too_long_is_refused);
	tcase_add_test(tc, text_names_the_parts);
	tcase_add_test(tc, globs);
	tcase_add_test(tc, stars_are_not_exponential);
	tcase_add_test(tc, paths_match_from_the_right);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
