/* SPDX-License-Identifier: MIT */
/* duration: what people write, and what they read. */
#include "clients/cli/duration.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

static const struct {
	const char *text;
	uint64_t ns;
} good[] = {
	{ "0", 0 },
	{ "3", 3000000000 },
	{ "10s", 10000000000 },
	{ "1.5s", 1500000000 },
	{ "500ms", 500000000 },
	{ "20us", 20000 },
	{ "7ns", 7 },
	{ "5m", 300000000000 },
	{ "1h", 3600000000000 },
	{ "2d", 172800000000000 },
	{ "0.25ms", 250000 },
	{ "1.0000000019s", 1000000001 },
	{ "9223372036s", 9223372036000000000 },
};

static const char *const bad[] = {
	"",
	"s",
	"-1s",
	"+1s",
	"1 s",
	" 1s",
	"1x",
	"1S",
	"1.s",
	".5s",
	"1e3",
	"1h30m",
	"1sec",
	"1,5",
	"0x10",
	"99999999999999999999",
	"9223372037s",
	"999999999999d",
};

static const struct {
	uint64_t ns;
	const char *text;
} shown[] = {
	{ 0, "0 ns" },
	{ 812, "812 ns" },
	{ 1250000, "1.25 ms" },
	{ 12500000, "12.5 ms" },
	{ 125000000, "125 ms" },
	{ 3100000000, "3.10 s" },
	{ 61000000000, "61.0 s" },
	{ 1999, "2.00 us" },
	{ UINT64_MAX, "18446744074 s" },
};

START_TEST(good_durations)
{
	uint64_t ns = 1;

	ck_assert_int_eq(duration_parse(good[_i].text, &ns), 0);
	ck_assert_uint_eq(ns, good[_i].ns);
}
END_TEST

START_TEST(bad_durations)
{
	uint64_t ns = 42;

	ck_assert_int_eq(duration_parse(bad[_i], &ns), -1);
	ck_assert_uint_eq(ns, 42);
}
END_TEST

START_TEST(shown_durations)
{
	char buf[DURATION_TEXT];

	ck_assert_str_eq(duration_text(shown[_i].ns, buf), shown[_i].text);
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

int main(void)
{
	Suite *suite = suite_create("duration");
	TCase *tcase = tcase_create("duration");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, good_durations, 0, COUNT(good));
	tcase_add_loop_test(tcase, bad_durations, 0, COUNT(bad));
	tcase_add_loop_test(tcase, shown_durations, 0, COUNT(shown));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
