/* SPDX-License-Identifier: MIT */
/* options and arguments: the table, its parser, and what goes into a request.
 */
#include "clients/cli/options.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/argument.h"
#include "clients/cli/request.h"
#include "clients/cli/text.h"
#include "clients/cli/verb.h"

#define WORDS 16

/* Splits at spaces; argv lives until the next call. */
static char **split(const char *line, int *ret_argc)
{
	static char copy[256];
	static char *argv[WORDS + 1];
	char *rest = copy;
	int argc = 0;

	snprintf(copy, sizeof(copy), "nopdb %s", line);
	while (rest && argc < WORDS)
		argv[argc++] = strsep(&rest, " ");
	if (!*argv[argc - 1])
		argc--;
	argv[argc] = NULL;
	*ret_argc = argc;
	return argv;
}

static int parse(const char *line, struct options *options, struct error *err)
{
	int argc;
	char **argv = split(line, &argc);

	*err = (struct error)ERROR_INIT;
	return options_parse(argc, argv, options, err);
}

START_TEST(anywhere)
{
	static const char *const lines[] = {
		"--json calls 12 f -n 5 -t 2s",
		"calls --hits=5 12 --json f --time 2s",
		"calls 12 f -n5 -t2s --json",
	};
	struct options options;
	struct error err;

	ck_assert_int_eq(parse(lines[_i], &options, &err), 0);
	ck_assert_int_eq(options.argc, 3);
	ck_assert_str_eq(options.argv[0], "calls");
	ck_assert_str_eq(options.argv[2], "f");
	ck_assert(option_given(&options, OPTION_JSON));
	ck_assert(!option_given(&options, OPTION_QUIET));
	ck_assert_uint_eq(options.value[OPTION_HITS].number, 5);
	ck_assert_uint_eq(options.value[OPTION_TIME].number, 2000000000);
}
END_TEST

START_TEST(after_two_dashes)
{
	struct options options;
	struct error err;

	ck_assert_int_eq(parse("calls 12 -- -n", &options, &err), 0);
	ck_assert_int_eq(options.argc, 3);
	ck_assert_str_eq(options.argv[2], "-n");
}
END_TEST

static const struct {
	const char *line;
	const char *named;
} bad[] = {
	{ "calls --nonsense", "--nonsense" },
	{ "calls -Z", "-Z" },
	{ "calls -n", "-n" },
	{ "calls --hits", "--hits" },
	{ "calls --hits=", "--hits" },
	{ "calls --json=yes", "--json" },
	{ "calls -n many", "many" },
	{ "calls -n -3", "-3" },
	{ "calls -n 1e3", "1e3" },
	{ "calls -n 99999999999999999999", "99999999999999999999" },
	{ "calls -n 9007199254740993", "9007199254740992" },
	{ "calls --depth 33", "32" },
	{ "calls --stack 4294967296", "4294967295" },
	{ "calls -t soon", "soon" },
	{ "calls --socket=", "--socket" },
};

START_TEST(bad_options)
{
	struct options options;
	struct error err;

	ck_assert_int_eq(parse(bad[_i].line, &options, &err), -1);
	ck_assert_int_eq(err.code, ERROR_USAGE);
	ck_assert_ptr_ne(strstr(err.msg, bad[_i].named), NULL);
}
END_TEST

START_TEST(options_of_other_verbs)
{
	struct options options;
	struct error err;

	ck_assert_int_eq(parse("ps --stack 3", &options, &err), 0);
	ck_assert_int_eq(options_allow(&options, verb_ps.groups, "ps", &err),
			 -1);
	ck_assert_ptr_ne(strstr(err.msg, "--stack"), NULL);
	ck_assert_int_eq(
		options_allow(&options, verb_calls.groups, "calls", &err), 0);
}
END_TEST

/* The limits object of a command line, as text. */
static char *limits_of(const char *line)
{
	cJSON *params = cJSON_CreateObject();
	struct options options;
	struct error err;
	char *text;

	ck_assert_int_eq(parse(line, &options, &err), 0);
	request_add_location(params, &options, "m:f");
	request_add_limits(params, &options);
	text = cJSON_PrintUnformatted(params);
	cJSON_Delete(params);
	return text;
}

static const struct {
	const char *line;
	const char *params;
} requests[] = {
	{ "", "{\"where\":\"m:f\",\"limits\":{}}" },
	{ "-n 0 --rate 7", "{\"where\":\"m:f\",\"limits\":{\"hits\":0,"
			   "\"rate\":7}}" },
	{ "-t 1.5s --min-duration 2us",
	  "{\"where\":\"m:f\",\"limits\":{\"time_ms\":1500,"
	  "\"min_duration_ns\":2000}}" },
	/* What rounds to nothing must not lift the limit. */
	{ "-t 1us", "{\"where\":\"m:f\",\"limits\":{\"time_ms\":1}}" },
	{ "--stack 3 --no-locals --only-exceptions",
	  "{\"where\":\"m:f\",\"limits\":{\"stack\":3,\"locals\":false,"
	  "\"only_exceptions\":true}}" },
	{ "--module m --file x.py --function g --depth 1 --items 2 --string 3",
	  "{\"where\":\"m:f\",\"function\":\"g\",\"file\":\"x.py\","
	  "\"module\":\"m\",\"limits\":{\"depth\":1,\"items\":2,"
	  "\"string\":3}}" },
};

START_TEST(request_params)
{
	char *text = limits_of(requests[_i].line);

	ck_assert_str_eq(text, requests[_i].params);
	cJSON_free(text);
}
END_TEST

START_TEST(pids)
{
	static const char *const wrong[] = {
		"",	   "0",	  "-1",
		"+1",	   "1x",  " 1",
		"4194305", "1.0", "99999999999999999999"
	};
	struct error err = ERROR_INIT;
	uint32_t probe;
	int pid = 0;

	ck_assert_int_eq(argument_pid("4194304", &pid, &err), 0);
	ck_assert_int_eq(pid, 4194304);
	ck_assert_int_eq(argument_probe("4294967295", &probe, &err), 0);
	ck_assert_int_eq(argument_probe("4294967296", &probe, &err), -1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_eq(argument_pid(wrong[i], &pid, &err), -1);
		ck_assert_int_eq(err.code, ERROR_USAGE);
		ck_assert_ptr_ne(strstr(err.msg, wrong[i]), NULL);
	}
}
END_TEST

START_TEST(locations_are_checked_first)
{
	struct options options;
	struct error err;

	ck_assert_int_eq(
		parse("calls 1 --function f --module m", &options, &err), 0);
	ck_assert(request_has_location(&options));
	ck_assert_int_eq(request_check_location(&options, NULL, false, &err),
			 0);
	ck_assert_int_eq(
		request_check_location(&options, "file.py:12", false, &err),
		-1);
	ck_assert_int_eq(err.code, ERROR_LOCATION);
}
END_TEST

START_TEST(usage_fits_eighty_columns)
{
	for (const struct verb *const *v = verbs; *v; v++) {
		struct text text = TEXT_INIT;
		const char *line;

		verb_usage(&text, *v);
		for (line = text_string(&text); *line;) {
			size_t length = strcspn(line, "\n");

			ck_assert_uint_le(length, 80);
			line += length + (line[length] == '\n');
		}
		ck_assert_ptr_ne(strstr(text_string(&text), "--socket"), NULL);
		text_release(&text);
	}
	ck_assert_ptr_eq(verb_find("calls"), &verb_calls);
	ck_assert_ptr_eq(verb_find("call"), NULL);
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("options");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, anywhere, 0, 3);
	tcase_add_test(tcase, after_two_dashes);
	tcase_add_loop_test(tcase, bad_options, 0, COUNT(bad));
	tcase_add_test(tcase, options_of_other_verbs);
	tcase_add_loop_test(tcase, request_params, 0, COUNT(requests));
	tcase_add_test(tcase, pids);
	tcase_add_test(tcase, locations_are_checked_first);
	tcase_add_test(tcase, usage_fits_eighty_columns);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
